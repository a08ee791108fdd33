"""Candidates in their order: tiers, retries, and what each of them may cost."""

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import trio

from actors import retry_budget
from tests.world import answers
from tests.world.router import World, config_of, open_router, provider
from tests.world.sweep import Scenario, cancellation_sweep
from ucr.asgi import AsgiApp
from ucr.bodies import Bodies
from ucr.config.model import ModelTarget, Timeouts
from ucr.request_ids import request_ids
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


async def test_a_session_keeps_its_key_so_that_what_the_provider_remembers_is_found_again(
    autojump_clock: object,
) -> None:
    keys = tuple(Secret(f"key-number-{number}") for number in range(3))
    async with open_router(config_of(provider("up", "openai-chat", api_keys=keys)), up=GOOD) as world:
        for _ in range(4):
            await world.ask(MESSAGES, ASK)
            await world.ask(MESSAGES, ASK, headers={"x-claude-code-session-id": "a-session"})
    used = [seen.header("authorization") for seen in world.upstreams["up"].requests]
    assert len(set(used[1::2])) == 1 < len(set(used[0::2]))
    numbers = [line["key_number"] for line in world.finished]
    assert set(numbers) <= {1, 2, 3}
    assert len(set(numbers[1::2])) == 1 < len(set(numbers[0::2]))


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


async def test_a_request_without_a_place_is_refused_at_once(autojump_clock: object) -> None:
    busy = provider("up", "openai-chat", max_requests=1, max_pending=0)
    async with open_router(config_of(busy), up=answers.never()) as world:
        first = await world.connect()
        await first.send(MESSAGES, ASK)
        await world.upstreams["up"].wait_requests(1)
        began_s = trio.current_time()
        heard = await world.ask(MESSAGES, ASK)
        assert trio.current_time() - began_s < 0.05
        await first.stream.aclose()
    assert (heard.status, calls(world)) == (529, {"up": 1})


async def test_nobody_waits_for_a_breaker_to_let_calls_through(autojump_clock: object) -> None:
    async with open_router(config_of(provider("up", "openai-chat")), up=answers.says(500, {})) as world:
        while (await world.ask(MESSAGES, ASK)).status != 529:
            pass
        asked = calls(world)
        for _ in range(20):
            began_s = trio.current_time()
            heard = await world.ask(MESSAGES, ASK)
            assert (heard.status, trio.current_time() - began_s < 0.05) == (529, True)
            assert 1 <= int(heard.headers["retry-after"]) <= 60
            await trio.sleep(1)
        assert calls(world) == asked


@pytest.mark.parametrize("status", [401, 402, 429])
async def test_another_key_is_asked_with_when_one_is_refused(status: int, autojump_clock: object) -> None:
    async def by_key(request: Any, answer: Any) -> None:
        is_bad = request.header("authorization") == "Bearer key-a"
        await (answers.says(status, {}) if is_bad else GOOD)(request, answer)

    keyed = provider("up", "openai-chat", api_keys=(Secret("key-a"), Secret("key-b")))
    async with open_router(config_of(keyed, provider("other", "openai-chat")), up=by_key, other=GOOD) as world:
        began_s = trio.current_time()
        heard = [await world.ask(MESSAGES, ASK) for _ in range(4)]
        assert trio.current_time() - began_s < 0.05
    assert [one.headers["x-ucr-attempts"] for one in heard] == ["2", "1", "1", "1"]
    assert calls(world) == {"up": 5, "other": 0}


async def test_a_provider_whose_keys_are_all_refused_is_followed_by_the_next(autojump_clock: object) -> None:
    keyed = provider("up", "openai-chat", api_keys=(Secret("key-a"), Secret("key-b")))
    config = config_of(keyed, provider("other", "openai-chat"))
    async with open_router(config, up=answers.says(429, {}), other=GOOD) as world:
        heard = [await world.ask(MESSAGES, ASK) for _ in range(2)]
    assert [one.headers["x-ucr-attempts"] for one in heard] == ["3", "1"]
    assert calls(world) == {"up": 2, "other": 2}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("120", "120"),
        ("3600", "3600"),
        ("1000000000", None),
        ("-5", None),
        ("soon", None),
        ("1.2", "2"),
        (None, None),
    ],
)
async def test_a_wait_is_passed_on_as_it_is_and_kept_only_within_bounds(
    asked: str | None, told: str | None, autojump_clock: object
) -> None:
    headers = answers.JSON if asked is None else (*answers.JSON, ("retry-after", asked))
    async with open_router(
        config_of(provider("up", "openai-chat")), up=answers.says(429, {}, headers)
    ) as world:
        heard = await world.ask(MESSAGES, ASK)
        assert (heard.status, heard.headers.get("retry-after")) == (429, told)
        again = await world.ask(MESSAGES, ASK)
        assert (again.status, calls(world)) == (429, {"up": 1})
        assert 1 <= int(again.headers["retry-after"]) <= 60
        await trio.sleep(60)
        await world.ask(MESSAGES, ASK)
    assert calls(world) == {"up": 2}


async def test_a_retry_has_the_time_of_its_own_provider(autojump_clock: object) -> None:
    busy = answers.says(503, {}, (*answers.JSON, ("retry-after", "5")))
    short = provider("short", "openai-chat", timeouts=Timeouts(total_s=4.0))
    config = config_of(short, provider("long", "openai-chat"))
    async with open_router(config, short=busy, long=answers.says(429, {})) as world:
        began_s = trio.current_time()
        heard = await world.ask(MESSAGES, ASK)
        assert trio.current_time() - began_s < 0.05
    assert (heard.status, calls(world)) == (429, {"short": 1, "long": 1})


async def test_who_is_waited_for_goes_before_work_on_the_side(autojump_clock: object) -> None:
    order: list[str] = []

    async def handler(request: Any, answer: Any) -> None:
        order.append(request.json()["messages"][0]["content"])
        await trio.sleep(1)
        await GOOD(request, answer)

    aside = {"x-claude-code-request-class": "auxiliary"}
    config = config_of(provider("up", "openai-chat", max_requests=1))
    async with open_router(config, up=handler) as world, trio.open_nursery() as nursery:
        for words, headers in (("first", {}), ("aside", aside), ("second", {}), ("third", {})):
            body = {**ASK, "messages": [{"role": "user", "content": words}]}
            nursery.start_soon(partial(world.ask, MESSAGES, body, headers=headers))
            await trio.sleep(0.1)
    assert order == ["first", "second", "third", "aside"]


async def test_a_count_says_nothing_of_a_provider_and_is_estimated_while_it_rests(
    autojump_clock: object,
) -> None:
    config = config_of(provider("up", "anthropic"), max_attempts=1)
    broken = answers.says(500, {})
    count = {"model": "claude-x", "messages": TURN}
    async with open_router(config, up=broken) as world:
        counted = [await world.ask("/v1/messages/count_tokens", count) for _ in range(20)]
        assert calls(world) == {"up": 20}
        asked = [await world.ask(MESSAGES, ASK) for _ in range(6)]
        assert [one.status for one in asked] == [500] * 5 + [529]
        counted.append(await world.ask("/v1/messages/count_tokens", count))
    assert calls(world) == {"up": 25}
    assert {(one.status, one.json()["input_tokens"] > 0) for one in counted} == {(200, True)}


@pytest.mark.parametrize("refused", [None, 500, 503])
async def test_retries_leave_a_call_for_the_tiers_below(refused: int | None, autojump_clock: object) -> None:
    config = config_of(
        provider("first", "openai-chat", models=("claude-x",)),
        provider("last", "openai-chat"),
        default=only("last"),
    )
    handlers = {} if refused is None else {"first": answers.says(refused, {})}
    async with open_router(config, last=GOOD, **handlers) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.headers["x-ucr-provider"], heard.headers["x-ucr-attempts"]) == (
        200,
        "last",
        "3",
    )


def fails_each(number: int) -> Any:
    """Answer, but every so many calls with a 500."""
    count = itertools.count(1)

    async def handler(request: Any, answer: Any) -> None:
        await (GOOD if next(count) % number else answers.says(500, {}))(request, answer)

    return handler


@pytest.mark.slow
async def test_a_partial_outage_costs_no_more_than_a_fifth_more_calls(autojump_clock: object) -> None:
    async with open_router(config_of(provider("up", "openai-chat")), up=fails_each(3)) as world:
        for _ in range(300):
            await world.ask(MESSAGES, ASK)
            await trio.sleep(0.1)
    failed = sum(line["status"] != 200 for line in world.finished)
    assert calls(world)["up"] <= 300 * 1.2 + retry_budget.FLOOR
    assert failed <= 70


@pytest.mark.slow
async def test_a_partial_outage_is_not_seen_by_clients_where_another_provider_is(
    autojump_clock: object,
) -> None:
    config = config_of(provider("up", "openai-chat"), provider("other", "openai-chat"))
    async with open_router(config, up=fails_each(3), other=GOOD) as world:
        for _ in range(100):
            assert (await world.ask(MESSAGES, ASK)).status == 200
    assert sum(calls(world).values()) <= 100 * 1.5


@pytest.mark.slow
@pytest.mark.parametrize(("leaving", "stream"), [("cancel", True), ("drain", False)])
def test_a_request_that_is_cancelled_at_any_step_leaves_nothing_behind(leaving: str, stream: bool) -> None:
    """It fails once, is followed by another candidate, gets a hedge, loses both, and is tried again."""

    @asynccontextmanager
    async def scenario() -> AsyncIterator[Scenario]:
        config = config_of(
            *(provider(name, "openai-chat") for name in ("first", "second", "third")),
            hedge_after_s={"*": 2.0},
            max_attempts=4,
            on_disconnect=leaving,
            drain_s=1.0,
        )
        handlers = {
            "first": (answers.late(0.5, 500), answers.streams(answers.chat_text("a", "b"), pause_s=0.5)),
            "second": (answers.late(3.0, 503), answers.late(0.5)),
            "third": (answers.late(0.5, 500), answers.late(0.5)),
        }
        async with open_router(config, **handlers) as world:

            async def act() -> None:
                await called(world, {**ASK, "stream": stream})

            async def check() -> None:
                await trio.sleep(30)
                assert_idle(world)
                assert (await world.ask(MESSAGES, ASK)).status == 200

            yield Scenario(act, check)

    assert cancellation_sweep(scenario) >= 50


async def called(world: World, body: dict[str, Any]) -> None:
    """Let the application answer a request, as a server would that can be stopped at any time."""
    data = json.dumps(body).encode()
    fields = (("host", "127.0.0.1:3000"), ("content-type", "application/json"))
    scope = {
        "type": "http",
        "method": "POST",
        "raw_path": MESSAGES.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in fields],
    }
    messages = [{"type": "http.request", "body": data, "more_body": False}]

    async def receive() -> dict[str, Any]:
        await trio.lowlevel.checkpoint()
        if not messages:
            await trio.sleep_forever()
        return messages.pop()

    async def send(message: dict[str, Any]) -> None:
        await trio.lowlevel.checkpoint()

    await AsgiApp(world.worker.api.answer, request_ids(lambda: 0.0), 10**6, Bodies(10**6))(scope, receive, send)


def assert_idle(world: World) -> None:
    """Nothing is lent, nothing runs, and no connection is held."""
    for child in world.worker.tree.children.values():
        assert (child.ledger.leases_out, child.retries.active) == (0, 0)
        assert child.pool.statistics().open == child.pool.statistics().idle
    assert world.worker.api.requests().open == 0
