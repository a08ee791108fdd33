"""A virtual client draws by dice of its own, and says what is wrong with an answer."""

import json
from dataclasses import replace
from functools import partial

import pytest
import trio

from ucr.stress import voices
from ucr.stress.client import ROUTER, VirtualClient
from ucr.stress.clock import run_jumping
from ucr.stress.network import MemoryNetwork
from ucr.stress.plan import Plan
from ucr.stress.upstream import Answer, SeenRequest, Upstream
from ucr.stress.watch import Watch
from ucr.stress.words import tag_in, text_of, words_of

PLAN = Plan(1, 30.0, 3, rate=1.0, habits=(), has_limits=False)


def body_for(path: str, tag: str) -> bytes:
    part = {"text": text_of(tag)}
    if path == "/v1/responses":
        return json.dumps({"output": [{"content": [part]}]}).encode()
    if path.startswith("/v1beta/models/"):
        return json.dumps({"candidates": [{"content": {"parts": [part]}}]}).encode()
    if path == "/api/chat":
        return json.dumps({"message": {"content": text_of(tag)}}).encode()
    return voices.whole("anthropic" if path == "/v1/messages" else "openai-chat", words_of(tag))


async def converse(plan: Plan, *, damage: str = "") -> tuple[Watch, list[str]]:
    """Let a client talk to a router that is none, which speaks as providers do, until the plan has ended."""
    asked: list[str] = []

    async def handle(request: SeenRequest, answer: Answer) -> None:
        tag = tag_in(request.body)
        assert tag is not None
        asked.append(tag)
        if damage == "cut":
            await answer.head(200, (("content-length", "99999"),))
            return await answer.close()
        if damage == "silent":
            await trio.sleep_forever()
        if damage == "no error":
            return await answer.reply(529, b"oops")
        return await answer.reply(200, body_for(request.path, "u9.9" if damage == "crossed" else tag))

    with trio.CancelScope() as scope:
        watch = Watch(plan, scope.cancel)
        network = MemoryNetwork()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, Upstream(handle).serve, [network.listener(*ROUTER)])
            await VirtualClient(1, plan, network, watch).run()
            nursery.cancel_scope.cancel()
    return watch, asked


async def test_a_client_reads_what_it_asked_for(autojump_clock: object) -> None:
    watch, asked = await converse(PLAN)
    assert watch.broken is None
    assert watch.requests == len(asked) == sum(watch.outcomes.values()) > 10
    assert set(watch.outcomes) == {"whole"}


def test_the_same_client_asks_the_same() -> None:
    once, again, other = (
        run_jumping(partial(converse, plan))[1]
        for plan in (PLAN, PLAN, replace(PLAN, seed=2, habits=("repeat",)))
    )
    assert once == again
    assert once != other


@pytest.mark.parametrize(
    ("damage", "law"),
    [
        ("crossed", "crossed answer"),
        ("cut", "cut"),
        ("silent", "lost answer"),
        ("no error", "grammar"),
    ],
)
async def test_what_is_wrong_is_told(autojump_clock: object, damage: str, law: str) -> None:
    watch, _ = await converse(PLAN, damage=damage)
    assert watch.broken is not None
    assert watch.broken.law == law


async def test_a_client_that_leaves_is_told_nothing(autojump_clock: object) -> None:
    watch, _ = await converse(replace(PLAN, habits=("leave",), seconds=300.0), damage="")
    assert watch.broken is None
    assert watch.outcomes["left"] > 0
