"""Two candidates side by side: the faster one answers, and nobody sees the other."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.world import answers
from tests.world.router import config_of, open_router, provider
from tests.world.sweep import Scenario, cancellation_sweep
from ucr.attempt import Attempt
from ucr.call import Call
from ucr.delivery import Delivery
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.hedge import Race
from ucr.lane.watch import AFTER_S
from ucr.patience import Patience
from ucr.record import Record
from ucr.routing import plan

MESSAGES = "/v1/messages"
TURN: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
ASK: dict[str, Any] = {"model": "claude-x", "max_tokens": 50, "messages": TURN}


def slow(seconds: float, status: int = 200) -> Any:
    async def handler(request: Any, answer: Any) -> None:
        await trio.sleep(seconds)
        await answers.says(status, answers.chat_reply())(request, answer)

    return handler


def two(hedges: Mapping[str, float]) -> Any:
    return config_of(provider("first", "openai-chat"), provider("second", "openai-chat"), hedge_after_s=hedges)


async def test_a_silent_candidate_gets_company_and_the_faster_one_answers(autojump_clock: object) -> None:
    async with open_router(two({"*": 2.0}), first=slow(60.0), second=slow(1.0)) as world:
        began_s = trio.current_time()
        heard = await world.ask(MESSAGES, ASK)
        assert trio.current_time() - began_s == pytest.approx(3.0)
        await wait_all_tasks_blocked()
        assert world.upstreams["first"].aborted
    assert (heard.status, heard.headers["x-ucr-provider"], heard.headers["x-ucr-attempts"]) == (
        200,
        "second",
        "2",
    )


async def test_a_candidate_that_answers_after_all_wins_over_its_hedge(autojump_clock: object) -> None:
    async with open_router(two({"*": 2.0}), first=slow(3.0), second=slow(60.0)) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.headers["x-ucr-provider"]) == (200, "first")
    assert world.finished[0]["provider"] == "first"


@pytest.mark.parametrize("hedges", [{}, {"listed": 2.0}])
async def test_without_a_hedge_for_the_route_nobody_else_is_asked(
    hedges: Mapping[str, float], autojump_clock: object
) -> None:
    async with open_router(two(hedges), first=slow(60.0), second=slow(1.0)) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.headers["x-ucr-provider"], heard.headers["x-ucr-attempts"]) == ("first", "1")


async def test_a_failure_before_its_hedge_is_followed_as_usual(autojump_clock: object) -> None:
    async with open_router(two({"*": 2.0}), first=slow(1.0, 500), second=slow(1.0)) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.headers["x-ucr-provider"], heard.headers["x-ucr-attempts"]) == (
        200,
        "second",
        "2",
    )


async def test_when_one_fails_the_other_is_waited_for(autojump_clock: object) -> None:
    async with open_router(two({"*": 2.0}), first=slow(10.0), second=slow(1.0, 500)) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.headers["x-ucr-provider"], heard.headers["x-ucr-attempts"]) == (
        200,
        "first",
        "2",
    )


async def test_when_both_fail_the_client_is_told_once(autojump_clock: object) -> None:
    config = config_of(
        provider("first", "openai-chat"),
        provider("second", "openai-chat"),
        hedge_after_s={"*": 2.0},
        max_attempts=2,
    )
    async with open_router(config, first=slow(10.0, 500), second=slow(1.0, 503)) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.headers["x-ucr-attempts"]) == (529, "2")


@pytest.mark.slow
def test_a_client_that_leaves_at_any_step_leaves_nothing_behind() -> None:
    @asynccontextmanager
    async def scenario() -> AsyncIterator[Scenario]:
        config = config_of(
            *(provider(name, "openai-chat") for name in ("first", "second", "third")),
            hedge_after_s={"*": 2.0},
            max_attempts=4,
        )
        async with open_router(config, first=slow(3.0, 500), second=slow(4.0, 503), third=slow(5.0)) as world:

            async def act() -> None:
                await world.ask(MESSAGES, ASK)

            async def check() -> None:
                await trio.sleep(2 * AFTER_S)  # until a client that waits is watched
                listed = (await world.ask("/v1/providers", method="GET")).json()["data"]
                assert [entry["status"]["in_flight"] for entry in listed] == [0, 0, 0]
                assert (await world.ask(MESSAGES, ASK)).status == 200

            yield Scenario(act, check)

    assert cancellation_sweep(scenario) >= 5


async def test_who_may_not_be_asked_beside_another_is_asked_after_it(autojump_clock: object) -> None:
    heard: list[str] = []
    async with open_router(two({"*": 1.0}), first=slow(5.0, 500), second=slow(0.5)) as world:

        async def ask() -> None:
            answer = await world.ask(MESSAGES, ASK)
            heard.append(f"{answer.status} {answer.headers['x-ucr-provider']}")

        async with trio.open_nursery() as nursery:
            for _ in range(12):
                nursery.start_soon(ask)
    assert heard == ["200 second"] * 12


async def test_who_waits_for_a_place_counts_among_the_calls(autojump_clock: object) -> None:
    config = config_of(
        provider("first", "openai-chat", max_requests=1),
        provider("second", "openai-chat"),
        hedge_after_s={"*": 1.0},
        max_attempts=1,
    )
    async with open_router(config, first=slow(3.0), second=slow(60.0)) as world, trio.open_nursery() as nursery:
        nursery.start_soon(world.ask, MESSAGES, ASK)
        await world.upstreams["first"].wait_requests(1)
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.headers["x-ucr-provider"], heard.headers["x-ucr-attempts"]) == ("first", "1")


async def test_a_broken_stream_of_the_winner_is_followed_by_the_next_while_nothing_was_sent(
    autojump_clock: object,
) -> None:
    names = ("first", "second", "third")
    config = config_of(*(provider(name, "openai-chat") for name in names), hedge_after_s={"*": 1.0})
    async with open_router(config, first=slow(60.0), second=answers.cut_off([]), third=slow(0.5)) as world:
        heard = await world.ask(MESSAGES, {**ASK, "stream": True})
    assert (heard.status, heard.headers["x-ucr-provider"], heard.headers["x-ucr-attempts"]) == (
        200,
        "third",
        "3",
    )


async def test_hedges_stay_within_the_budget_of_the_provider_that_is_asked_as_well(
    autojump_clock: object,
) -> None:
    async with (
        open_router(two({"*": 1.0}), first=slow(5.0), second=slow(60.0)) as world,
        trio.open_nursery() as nursery,
    ):
        for _ in range(40):
            nursery.start_soon(world.ask, MESSAGES, ASK)
    assert len(world.upstreams["second"].requests) <= 4


async def test_who_lost_to_an_answer_that_came_to_nothing_is_asked_again(autojump_clock: object) -> None:
    async with open_router(two({"*": 1.0}), first=slow(5.0), second=answers.cut_off([])) as world:
        heard = await world.ask(MESSAGES, {**ASK, "stream": True})
    assert (heard.status, heard.headers["x-ucr-provider"], heard.headers["x-ucr-attempts"]) == (
        200,
        "first",
        "3",
    )


@pytest.mark.parametrize("is_late", [True, False])
async def test_a_hedge_that_begins_or_is_admitted_in_the_turn_of_the_answer_asks_nobody(
    is_late: bool, autojump_clock: object
) -> None:
    """It is not cancelled before its next wait, and the request is not there any more."""
    async with open_router(two({"*": 1.0}), first=slow(1.0), second=slow(1.0)) as world:
        router = world.worker.api.generation.router
        client, record = AnthropicClient(), Record("req_1", "0", 0.0, lambda: 0.0)
        request = client.parse(json.dumps(ASK).encode(), {})
        delivery = Delivery(None, client, record, router.timers)  # type: ignore[arg-type]
        call = Call(router, client, request, record, delivery, Patience(100.0))
        winner, loser = (Attempt(call, candidate) for candidate in plan(router.config, "claude-x")[:2])
        call.let_go()
        with trio.CancelScope() as scope:
            if is_late:
                race = Race()
                race.claim(winner)
                await race.run(loser)
            else:
                loser.lose()
                scope.cancel(reason="another candidate has answered first")
                await loser.run()
        assert (loser.error, loser.is_lost, record.attempts) == (None, True, 0)
        assert world.upstreams["second"].requests == []
        assert router.children["second"].status.in_flight == 0
