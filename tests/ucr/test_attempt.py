"""Candidates in their order: tiers, retries, and what each of them may cost."""

from typing import Any

import pytest
import trio

from tests.world import answers
from tests.world.router import World, config_of, open_router, provider
from ucr.config.model import ModelTarget, Timeouts
from ucr.secret import Secret

MESSAGES = "/v1/messages"
TURN: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
ASK: dict[str, Any] = {"model": "claude-x", "max_tokens": 50, "messages": TURN}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}}
GOOD = answers.says(200, answers.chat_reply())


def only(*ids: str) -> tuple[ModelTarget, ...]:
    return tuple(ModelTarget(id_) for id_ in ids)


def calls(world: World) -> dict[str, int]:
    return {name: len(upstream.requests) for name, upstream in world.upstreams.items()}


async def test_a_fault_that_passes_is_tried_again_where_it_was(autojump_clock: object) -> None:
    config = config_of(provider("up", "openai-chat"))
    async with open_router(config, up=(answers.says(500, {}), GOOD)) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.headers["x-ucr-attempts"], calls(world)) == (200, "2", {"up": 2})
    assert (heard.headers["x-ucr-tier"], world.finished[0]["retries"]) == ("optimal", 1)


async def test_the_wait_that_a_provider_asks_for_is_kept(autojump_clock: object) -> None:
    busy = answers.says(503, {}, (*answers.JSON, ("retry-after", "3")))
    async with open_router(config_of(provider("up", "openai-chat")), up=(busy, GOOD)) as world:
        began_s = trio.current_time()
        heard = await world.ask(MESSAGES, ASK)
        assert 3.0 <= trio.current_time() - began_s < 3.5
    assert heard.status == 200


async def test_a_wait_that_is_too_long_is_left_to_the_client(autojump_clock: object) -> None:
    busy = answers.says(503, {}, (*answers.JSON, ("retry-after", "30")))
    async with open_router(config_of(provider("up", "openai-chat")), up=busy) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.headers["retry-after"], calls(world)) == (529, "30", {"up": 1})


async def test_no_retry_is_begun_that_cannot_end_in_time(autojump_clock: object) -> None:
    busy = answers.says(503, {}, (*answers.JSON, ("retry-after", "5")))
    config = config_of(provider("up", "openai-chat", timeouts=Timeouts(total_s=4.0)))
    async with open_router(config, up=busy) as world:
        began_s = trio.current_time()
        heard = await world.ask(MESSAGES, ASK)
        assert trio.current_time() - began_s < 1.0
    assert (heard.status, calls(world)) == (529, {"up": 1})


@pytest.mark.parametrize("most", [1, 2, 3])
async def test_a_request_makes_no_more_calls_than_it_may(most: int, autojump_clock: object) -> None:
    names = ("a", "b", "c", "d")
    config = config_of(*(provider(name, "openai-chat") for name in names), max_attempts=most)
    async with open_router(config, **dict.fromkeys(names, answers.says(500, {}))) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.headers["x-ucr-attempts"]) == (500, str(most))
    assert sum(calls(world).values()) == most


async def test_retries_stay_within_their_budget(autojump_clock: object) -> None:
    lasting = {"consecutive_failures": 1000, "min_calls": 1000}
    breaker = type(provider("x", "openai-chat").breaker)(**lasting)
    config = config_of(provider("up", "openai-chat", breaker=breaker))
    async with open_router(config, up=answers.says(500, {})) as world, trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(world.ask, MESSAGES, ASK)
    assert 50 <= calls(world)["up"] <= 60


async def test_a_simple_route_follows_the_chosen_one(autojump_clock: object) -> None:
    first = provider("first", "openai-chat")
    second = provider("second", "openai-chat", models=("claude-x",))
    third = provider("third", "openai-chat", models=("claude-x",), priority=1)
    config = config_of(first, second, third, default=only("first"))
    async with open_router(
        config, first=GOOD, second=answers.says(429, {}), third=answers.says(429, {})
    ) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.headers["x-ucr-provider"], heard.headers["x-ucr-tier"]) == ("first", "simple")
    assert (heard.headers["x-ucr-route"], calls(world)) == ("default", {"first": 1, "second": 1, "third": 1})


async def test_in_an_emergency_anybody_serves_who_can(autojump_clock: object) -> None:
    config = config_of(
        provider("first", "openai-chat"),
        provider("off", "openai-chat", enabled=False),
        provider("last", "openai-chat"),
        default=only("first"),
    )
    async with open_router(config, first=answers.says(429, {}), off=GOOD, last=GOOD) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.headers["x-ucr-provider"], heard.headers["x-ucr-tier"]) == ("last", "emergency")
    assert (heard.headers["x-ucr-model"], heard.headers["x-ucr-route"]) == ("last-model", "emergency")
    assert (world.finished[0]["tier"], calls(world)) == ("emergency", {"first": 1, "off": 0, "last": 1})


async def test_an_emergency_shows_no_image_to_a_model_that_sees_none(autojump_clock: object) -> None:
    blind = provider("blind", "openai-chat")
    blind = provider("blind", "openai-chat", quirks=blind.quirks.with_({"images": False}))
    config = config_of(provider("first", "openai-chat"), blind, default=only("first"))
    shown = {**ASK, "messages": [{"role": "user", "content": [IMAGE]}]}
    async with open_router(config, first=answers.says(429, {}), blind=GOOD) as world:
        heard = await world.ask(MESSAGES, shown)
    assert (heard.status, calls(world)) == (429, {"first": 1, "blind": 0})


async def test_another_key_is_tried_before_another_provider(autojump_clock: object) -> None:
    keys = tuple(Secret(f"key-number-{number}") for number in range(3))
    config = config_of(provider("up", "openai-chat", api_keys=keys), provider("other", "openai-chat"))
    turns = (answers.says(429, {}), answers.says(401, {}), GOOD)
    async with open_router(config, up=turns, other=GOOD) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.headers["x-ucr-attempts"], calls(world)) == (200, "3", {"up": 3, "other": 0})
    assert len({seen.header("authorization") for seen in world.upstreams["up"].requests}) == 3


async def test_a_fault_of_the_request_goes_nowhere_else(autojump_clock: object) -> None:
    config = config_of(provider("first", "openai-chat"), provider("last", "openai-chat"), default=only("first"))
    async with open_router(config, first=answers.says(400, {}), last=GOOD) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, calls(world)) == (400, {"first": 1, "last": 0})


async def test_an_open_breaker_costs_no_call(autojump_clock: object) -> None:
    config = config_of(
        provider("first", "openai-chat"), provider("second", "openai-chat"), default=only("first", "second")
    )
    async with open_router(config, first=answers.says(500, {}), second=GOOD) as world:
        heard = [await world.ask(MESSAGES, ASK) for _ in range(8)]
    assert [one.status for one in heard] == [200] * 8
    assert [one.headers["x-ucr-attempts"] for one in heard] == ["2"] * 5 + ["1"] * 3
    assert calls(world) == {"first": 5, "second": 8}


async def test_when_all_breakers_are_open_the_client_learns_when_to_come_back(autojump_clock: object) -> None:
    config = config_of(provider("first", "openai-chat"), provider("second", "openai-chat"), max_attempts=1)
    async with open_router(config, first=answers.says(500, {}), second=answers.says(500, {})) as world:
        for _ in range(10):
            await world.ask(MESSAGES, ASK)
        asked = sum(calls(world).values())
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.json()["error"]["type"]) == (529, "overloaded_error")
    assert 1 <= int(heard.headers["retry-after"]) <= 60
    assert sum(calls(world).values()) == asked
    assert "x-ucr-attempts" not in heard.headers
