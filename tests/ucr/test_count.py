"""Counting tokens when the provider's own count cannot be used."""

from typing import Any

import pytest
import trio

from tests.world import answers
from tests.world.router import config_of, open_router, provider
from ucr.catalogue import OPENAI
from ucr.config.model import Cache
from ucr.count import LONGEST_WAIT_S
from ucr.estimate import estimate

COUNT = "/v1/messages/count_tokens"
BODY: dict[str, Any] = {
    "model": "m",
    "system": [{"type": "text", "text": "Be brief."}],
    "tools": [{"name": "f", "description": "Does it.", "input_schema": {"type": "object"}}],
    "messages": [{"role": "user", "content": "hi"}],
}


@pytest.mark.parametrize(
    "handler",
    [
        answers.says(500, {}),
        answers.says(200, b"not json"),
        answers.says(200, {"input_tokens": "many"}),
        answers.says(200, []),
        answers.never(),
    ],
)
async def test_a_provider_that_cannot_count_costs_only_exactness(handler: Any, autojump_clock: object) -> None:
    """edge-185"""
    async with open_router(config_of(provider("up", "anthropic")), up=handler) as world:
        heard = await world.ask(COUNT, BODY)
    assert heard.json() == {"input_tokens": estimate(BODY, "anthropic")}


async def test_a_request_without_messages_cannot_be_counted(autojump_clock: object) -> None:
    async with open_router(config_of(provider("up", "anthropic"))) as world:
        heard = await world.ask(COUNT, {"model": "m"})
    assert heard.status == 400


async def test_nobody_waits_for_a_count_behind_those_who_wait_for_answers(autojump_clock: object) -> None:
    async with open_router(config_of(provider("up", "anthropic", max_requests=1)), up=answers.never()) as world:
        first = await world.connect()
        await first.send("/v1/messages", {**BODY, "max_tokens": 5})
        await world.upstreams["up"].wait_requests(1)
        began_s = trio.current_time()
        heard = await world.ask(COUNT, BODY)
        assert trio.current_time() - began_s < 0.05
        await first.stream.aclose()
    assert heard.json() == {"input_tokens": estimate(BODY, "anthropic")}
    assert "x-ucr-attempts" not in heard.headers


async def test_a_slow_count_is_given_up_for_an_estimate(autojump_clock: object) -> None:
    async with open_router(config_of(provider("up", "anthropic")), up=answers.never()) as world:
        with trio.fail_after(LONGEST_WAIT_S + 0.1):
            heard = await world.ask(COUNT, BODY)
        await world.upstreams["up"].wait_aborted(1)
    assert heard.json() == {"input_tokens": estimate(BODY, "anthropic")}


async def test_a_gemini_provider_counts_in_its_own_way(autojump_clock: object) -> None:
    up = provider("up", "gemini", default_model="gemini-x")
    async with open_router(config_of(up), up=answers.says(200, {"totalTokens": 31})) as world:
        heard = await world.ask(COUNT, BODY)
    assert heard.json() == {"input_tokens": 31}
    (seen,) = world.upstreams["up"].requests
    assert seen.path == "/v1beta/models/gemini-x:countTokens"
    assert seen.json()["generateContentRequest"]["contents"]  # type: ignore[index]


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses"])
async def test_openai_counts_in_responses_whatever_it_is_asked_in(dialect: str, autojump_clock: object) -> None:
    up = provider("up", dialect, quirks=OPENAI.with_({"count_input": True}), default_model="gpt-5.6")
    counted = answers.says(200, {"object": "response.input_tokens", "input_tokens": 32})
    async with open_router(config_of(up), up=counted) as world:
        heard = await world.ask(COUNT, BODY)
    assert heard.json() == {"input_tokens": 32}
    (seen,) = world.upstreams["up"].requests
    assert seen.path == "/v1/responses/input_tokens"
    body = seen.json()
    assert isinstance(body, dict)
    assert set(body) <= {
        "model",
        "instructions",
        "input",
        "tools",
        "tool_choice",
        "reasoning",
        "parallel_tool_calls",
    }
    assert (body["model"], body["instructions"]) == ("gpt-5.6", "Be brief.")
    assert [tool["name"] for tool in body["tools"]] == ["f"]


async def test_who_does_not_count_in_responses_is_not_asked(autojump_clock: object) -> None:
    async with open_router(config_of(provider("up", "openai-responses"))) as world:
        heard = await world.ask(COUNT, BODY)
    assert heard.json() == {"input_tokens": estimate(BODY, "openai-responses")}


async def test_what_a_gemini_provider_cannot_be_asked_is_estimated(autojump_clock: object) -> None:
    body = {**BODY, "messages": [{"role": "user", "content": " "}]}
    async with open_router(config_of(provider("up", "gemini"))) as world:
        heard = await world.ask(COUNT, body)
    assert heard.json() == {"input_tokens": estimate(body, "gemini")}


COUNTED = answers.says(200, {"input_tokens": 77})
CACHED = config_of(provider("up", "anthropic", models=("m",)), cache=Cache())


async def test_what_a_provider_has_counted_it_is_not_asked_again(autojump_clock: object) -> None:
    async with open_router(CACHED, up=COUNTED) as world:
        heard = [await world.ask(COUNT, BODY) for _ in range(3)]
        other = await world.ask(COUNT, {**BODY, "system": "Be long."})
        await trio.sleep(601)
        late = await world.ask(COUNT, BODY)
        requests = len(world.upstreams["up"].requests)
    assert [one.json()["input_tokens"] for one in (*heard, other, late)] == [77] * 5
    assert [one.headers["x-ucr-cache"] for one in (*heard, other, late)] == [
        "miss",
        "hit",
        "hit",
        "miss",
        "miss",
    ]
    assert requests == 3


@pytest.mark.parametrize(("said", "requests"), [("no-cache", 2), ("no-store", 3)])
async def test_a_count_can_be_asked_for_anew(said: str, requests: int, autojump_clock: object) -> None:
    async with open_router(CACHED, up=COUNTED) as world:
        await world.ask(COUNT, BODY, headers={"cache-control": said})
        await world.ask(COUNT, BODY, headers={"cache-control": said})
        await world.ask(COUNT, BODY)
        assert len(world.upstreams["up"].requests) == requests


async def test_an_estimate_does_not_stand_for_a_count(autojump_clock: object) -> None:
    async with open_router(CACHED, up=(answers.says(500, {}), COUNTED)) as world:
        heard = [await world.ask(COUNT, BODY) for _ in range(3)]
    assert [one.json()["input_tokens"] for one in heard] == [estimate(BODY, "anthropic"), 77, 77]
