"""Predictions from end to end, in memory: begun, asked for again, streamed, failed, and cancelled."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.world import answers
from tests.world.check_anthropic_stream import check
from tests.world.replicate import (
    CANCEL,
    ID,
    MODEL,
    Replicate,
    event,
    pieces,
    prediction,
    replicate_provider,
    streaming,
)
from tests.world.router import Heard, World, config_of, open_router
from ucr.config.model import Timeouts
from ucr.secret import Secret
from ucr.stress.upstream import Handler, Upstream

pytestmark = pytest.mark.usefixtures("both_lanes")

MESSAGES, CHAT = "/v1/messages", "/v1/chat/completions"
ASK: dict[str, Any] = {
    "model": f"up/{MODEL}",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "hi"}],
}
KEY = "r8-a-secret-token"
UP = replicate_provider("up", api_keys=(Secret(KEY),))
HERE = "http://up.test/stream/1"
ELSEWHERE = "http://stream.up.test/stream/1"


@asynccontextmanager
async def router(handler: Handler, *others: Any, **more: Handler) -> AsyncIterator[World]:
    """Serve a router before Replicate, whose streams are also at another server."""
    async with open_router(config_of(UP, *others), up=handler, **more) as world, trio.open_nursery() as nursery:
        beside = Upstream(handler)
        world.upstreams["beside"] = beside
        listener = world.network.listener("stream.up.test", 80)
        nursery.start_soon(trio.serve_listeners, beside.serve, [listener])
        yield world
        nursery.cancel_scope.cancel()


def paths(world: World, name: str = "up") -> list[str]:
    return [f"{one.method} {one.path}" for one in world.upstreams[name].requests]


def text_of(heard: Heard) -> str:
    return "".join(one.get("delta", {}).get("text", "") for one in heard.events())


async def test_an_answer_that_is_there_soon_takes_one_exchange(autojump_clock: object) -> None:
    async with router(Replicate(prediction(output=["hel", "lo"]))) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.json()["content"]) == (200, [{"type": "text", "text": "hello"}])
    assert heard.json()["usage"]["output_tokens"] == 5
    assert paths(world) == [f"POST /v1/models/{MODEL}/predictions"]
    seen = world.upstreams["up"].requests[0]
    assert (seen.header("authorization"), seen.header("prefer")) == (f"Bearer {KEY}", "wait=5")
    assert seen.json() == {"input": {"prompt": "hi", "max_tokens": 50}}


async def test_an_answer_that_takes_longer_is_asked_for_ever_more_seldom(autojump_clock: object) -> None:
    going = [prediction("starting"), *[prediction("processing")] * 12]
    async with router(Replicate(*going, prediction(output="hello"))) as world:
        began = trio.current_time()
        heard = await world.ask(CHAT, ASK)
        took_s = trio.current_time() - began
    assert heard.json()["choices"][0]["message"]["content"] == "hello"
    assert len(paths(world)) == 14
    assert paths(world)[1] == f"GET /v1/predictions/{ID}"
    assert world.upstreams["up"].requests[1].header("authorization") == f"Bearer {KEY}"
    assert 0.5 + 0.75 < took_s < 14 * 5
    assert heard.headers["x-ucr-attempts"] == "1"


@pytest.mark.parametrize("path", [MESSAGES, CHAT])
@pytest.mark.parametrize(("url", "name"), [(HERE, "up"), (ELSEWHERE, "beside")])
async def test_a_stream_comes_from_where_the_prediction_says(
    url: str, name: str, path: str, autojump_clock: object
) -> None:
    async with router(Replicate(streaming(url), stream=pieces("Hel", "lo"))) as world:
        heard = await world.ask(path, {**ASK, "stream": True})
        assert heard.status == 200 and heard.is_complete
    if path == CHAT:
        assert "".join(c["delta"].get("content") or "" for e in heard.events() for c in e["choices"]) == "Hello"
    else:
        assert text_of(heard) == "Hello"
        assert check([(one["type"], one) for one in heard.events()]) == []
    seen = world.upstreams[name].requests[-1]
    assert (seen.method, seen.path, seen.header("accept")) == ("GET", "/stream/1", "text/event-stream")
    key = seen.header("authorization")
    assert key == (f"Bearer {KEY}" if name == "up" else None), "only the provider itself gets its key"
    assert CANCEL not in str(paths(world)), "what was served whole is not cancelled"


async def test_a_stream_that_is_nowhere_of_the_providers_is_waited_for_instead(autojump_clock: object) -> None:
    stands = [streaming("http://evil.test/stream"), prediction("processing"), prediction(output="hello")]
    async with router(Replicate(*stands)) as world:
        heard = await world.ask(MESSAGES, {**ASK, "stream": True})
    assert text_of(heard) == "hello"
    assert check([(one["type"], one) for one in heard.events()]) == []
    assert len(paths(world)) == 3


async def test_a_stream_that_is_refused_is_waited_for_instead(autojump_clock: object) -> None:
    replicate = Replicate(streaming(HERE), prediction(output="hello"), stream=[])
    replicate.refuses = True
    async with router(replicate) as world:
        heard = await world.ask(MESSAGES, {**ASK, "stream": True})
    assert text_of(heard) == "hello"
    assert [path.partition(" ")[2] for path in paths(world)][1:] == ["/stream/1", f"/v1/predictions/{ID}"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_prediction_that_fails_is_an_error(stream: bool, autojump_clock: object) -> None:
    failed = prediction("failed", error="CUDA out of memory")
    stands = [streaming(HERE), failed] if stream else [prediction("starting"), failed]
    words = [event("error", '{"detail":"CUDA out of memory"}')]
    async with router(Replicate(*stands, stream=words)) as world:
        heard = await world.ask(MESSAGES, {**ASK, "stream": stream})
    assert (heard.status, heard.json()["error"]["type"]) == (500, "api_error")
    assert "CUDA out of memory" in heard.json()["error"]["message"]


async def test_a_refusal_is_told_and_nothing_is_cancelled(autojump_clock: object) -> None:
    body = {"title": "Input validation failed", "detail": "- input.prompt is required", "status": 422}
    async with router(answers.says(422, body)) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.json()["error"]["message"]) == (400, "- input.prompt is required")
    assert len(paths(world)) == 1


async def test_another_candidate_answers_for_one_that_is_out_of_credit(autojump_clock: object) -> None:
    second = replicate_provider("second")
    no_credit = answers.says(402, {"detail": "Insufficient credit"})
    async with router(no_credit, second, second=Replicate(prediction(output="hello"))) as world:
        heard = await world.ask(MESSAGES, {**ASK, "model": "claude-x"})
    assert (heard.status, heard.headers["x-ucr-provider"]) == (200, "second")


async def left(world: World, body: dict[str, Any], name: str, count: int) -> None:
    """Ask, leave once a server was asked so often, and wait until all has been sent."""
    visitor = await world.connect()
    await visitor.send(MESSAGES, body)
    await world.upstreams[name].wait_requests(count)
    await trio.sleep(0.3)
    await visitor.stream.aclose()
    await trio.sleep(2)
    await wait_all_tasks_blocked()


@pytest.mark.parametrize(("url", "name", "count"), [(HERE, "up", 2), (ELSEWHERE, "beside", 1)])
async def test_a_stream_that_its_client_leaves_is_cancelled(
    url: str, name: str, count: int, autojump_clock: object
) -> None:
    replicate = Replicate(streaming(url), stream=[event("output", "Hel")])
    replicate.hangs = True
    async with router(replicate) as world:
        await left(world, {**ASK, "stream": True}, name, count)
        assert replicate.cancelled == 1
        assert world.upstreams["up"].requests[-1].header("authorization") == f"Bearer {KEY}"
        assert world.worker.tree.children["up"].status.in_flight == 0


async def test_a_prediction_that_its_client_leaves_is_cancelled(autojump_clock: object) -> None:
    replicate = Replicate(prediction("starting"))
    async with router(replicate) as world:
        await left(world, ASK, "up", 2)
        assert replicate.cancelled == 1
        assert not [line for line in world.lines if "crashed" in line["event"]]


async def test_a_prediction_that_takes_too_long_is_cancelled(autojump_clock: object) -> None:
    replicate = Replicate(prediction("starting"))
    hasty = replace(UP, timeouts=Timeouts(total_s=20))
    async with open_router(config_of(hasty), up=replicate) as world:
        heard = await world.ask(MESSAGES, ASK)
        await trio.sleep(2)
    assert (heard.status, heard.json()["error"]["type"]) == (504, "timeout_error")
    assert replicate.cancelled == 1


async def test_a_stream_that_breaks_is_cancelled_and_ends_in_an_error(autojump_clock: object) -> None:
    replicate = Replicate(streaming(HERE), stream=[event("output", "Hel")])
    async with router(replicate) as world:
        heard = await world.ask(MESSAGES, {**ASK, "stream": True})
        await trio.sleep(2)
    assert heard.events()[-1]["error"]["type"] == "api_error"
    assert replicate.cancelled == 1
