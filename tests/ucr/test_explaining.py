"""Requests that are explained instead of sent, on the whole path in memory."""

from typing import Any

import pytest
import trio

from tests.world import answers
from tests.world.custom import answering, custom_stage
from tests.world.router import config_of, open_router, provider
from ucr.access import digest
from ucr.config.model import Client, ModelTarget
from ucr.config.rule_model import Rewrite, Rule
from ucr.explaining import HEADER
from ucr.secret import Secret

pytestmark = pytest.mark.usefixtures("both_lanes")

TURN: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
ASK: dict[str, Any] = {"model": "claude-x", "max_tokens": 500, "messages": TURN}
WHY = {HEADER: "1"}
A, B = provider("a", "anthropic"), provider("b", "anthropic", api_keys=(Secret("k-1"),))
SAYS = answers.says(200, answers.anthropic_reply())


async def test_an_explanation_is_given_and_nothing_is_sent(autojump_clock: object) -> None:
    rules = (Rule("to-b", targets=(ModelTarget("b"),)),)
    async with open_router(config_of(A, B, rules=rules), a=SAYS, b=SAYS) as world:
        heard = await world.ask("/v1/messages", {**ASK, "stream": True}, headers=WHY)
        chat = await world.ask("/v1/chat/completions", {"model": "m", "messages": TURN}, headers=WHY)
    assert (heard.status, heard.headers["content-type"]) == (200, "application/json")
    assert heard.json()["route"] == chat.json()["route"] == "rule:to-b"
    assert chat.json()["dialect"] == "openai-chat"
    assert [entry["provider"] for entry in heard.json()["candidates"]][:2] == ["b", "a"]
    assert world.upstreams["a"].requests == world.upstreams["b"].requests == []


async def test_another_value_of_the_header_explains_nothing(autojump_clock: object) -> None:
    async with open_router(config_of(A), a=SAYS) as world:
        heard = await world.ask("/v1/messages", ASK, headers={HEADER: "0"})
    assert heard.json()["type"] == "message"


async def test_open_breakers_and_resting_keys_are_told(autojump_clock: object) -> None:
    broken = answers.says(500, {"type": "error", "error": {"type": "api_error", "message": "x"}})
    limited = answers.says(429, {"type": "error", "error": {"type": "rate_limit_error", "message": "x"}})
    async with open_router(config_of(A, B, max_attempts=10), a=broken, b=limited) as world:
        for _ in range(3):
            await world.ask("/v1/messages", ASK)
        heard = await world.ask("/v1/messages", ASK, headers=WHY)
    refusals = {entry["provider"]: entry["refusals"] for entry in heard.json()["candidates"]}
    assert any("it fails too often" in words for words in refusals["a"])
    assert any("every key has to rest" in words for words in refusals["b"])


async def test_those_who_wait_for_a_place_are_told(autojump_clock: object) -> None:
    config = config_of(provider("a", "anthropic", max_requests=1, wait_s=60.0))
    async with open_router(config, a=answers.never()) as world:
        said: list[list[str]] = []
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                heard = await world.ask("/v1/messages", ASK, headers=WHY)
                said.append(heard.json()["candidates"][0]["refusals"])
                nursery.start_soon(world.ask, "/v1/messages", ASK)
                await trio.sleep(1)
            nursery.cancel_scope.cancel()
    assert said == [[], [], ["waiting for a place there: 1"]]


async def test_the_custom_router_is_asked_for_an_explanation(autojump_clock: object) -> None:
    config = config_of(A, B, custom="router.py")
    async with (
        custom_stage(answering(lambda request: "b")) as stage,
        open_router(config, start_custom=stage.start, a=SAYS, b=SAYS) as world,
    ):
        heard = await world.ask("/v1/messages", ASK, headers=WHY)
    assert heard.json()["custom"] == {"outcome": "chosen", "targets": ["b"], "words": ""}
    assert world.upstreams["b"].requests == []


async def test_who_may_not_ask_gets_no_explanation(autojump_clock: object) -> None:
    clients = (Client("ci", digest("secret"), models=("other",)),)
    async with open_router(config_of(A, clients=clients), a=SAYS) as world:
        without = await world.ask("/v1/messages", ASK, headers=WHY)
        barred = await world.ask("/v1/messages", ASK, headers={**WHY, "x-api-key": "secret"})
        allowed = await world.ask(
            "/v1/messages", {**ASK, "model": "other"}, headers={**WHY, "x-api-key": "secret"}
        )
    assert (without.status, barred.status, allowed.status) == (401, 403, 200)
    assert allowed.json()["client"] == "ci"


async def test_what_is_no_request_is_told_so(autojump_clock: object) -> None:
    rules = (Rule("bad", rewrite=Rewrite(removals=(("messages",),))),)
    async with open_router(config_of(A, rules=rules), a=SAYS) as world:
        invalid = await world.ask("/v1/messages", {"model": "m"}, headers=WHY)
        ruled = await world.ask("/v1/messages", ASK, headers=WHY)
    assert (invalid.status, ruled.status) == (400, 400)
    assert "(bad)" in ruled.json()["error"]["message"]
