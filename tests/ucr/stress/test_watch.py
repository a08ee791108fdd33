"""The watch says which law was broken first, and ends the simulation."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from ucr.stress.plan import CALM_S, Plan
from ucr.stress.settings import AT_ONE_TIME, BUDGET_NANO, BUDGETED, CROWDED, FREE, RATED, cost_nano, rpm_of
from ucr.stress.watch import SECOND_CHANCE_S, WINDOW_S, Asked, Watch

PLAN = Plan(1, 100.0, 10)
ASKED = Asked(1, FREE, "u1.1", "", 0.0)


def watch_of(stopped: list[str]) -> Watch:
    return Watch(PLAN, lambda: stopped.append("stopped"))


async def test_only_the_first_broken_law_counts() -> None:
    stopped: list[str] = []
    watch = watch_of(stopped)
    watch.broke("books", "one")
    watch.broke("crash", "another")
    assert stopped == ["stopped"]
    assert watch.broken is not None
    assert watch.broken.law == "books"


async def test_a_tenant_gets_from_the_cache_what_it_asked_for_before() -> None:
    watch = watch_of([])
    watch.begun(ASKED)
    watch.ended(ASKED, "whole", 200, "miss")
    watch.begun(ASKED)
    watch.ended(ASKED, "whole", 200, "hit")
    assert watch.broken is None
    other = replace(ASKED, tenant=BUDGETED)
    watch.begun(other)
    watch.ended(other, "whole", 200, "hit")
    assert watch.broken is not None
    assert watch.broken.law == "tenant"


async def test_a_budget_that_is_overdrawn_is_found() -> None:
    watch = watch_of([])
    for _ in range(BUDGET_NANO // cost_nano(24)):
        watch.answered("north", f"{BUDGETED}1.1", 24)
    assert watch.broken is None
    watch.answered("north", f"{BUDGETED}1.1", 24)
    assert watch.broken is not None
    assert watch.broken.law == "budget"


async def test_more_than_a_rate_allows_is_found_in_any_window() -> None:
    watch, allowed = watch_of([]), 2 * rpm_of(PLAN)
    within = [1000 + (WINDOW_S - 1) * turn / allowed for turn in range(allowed)]
    for begun_s in (*reversed(within), 999 - WINDOW_S, 1001 + 2 * WINDOW_S):
        watch.begun(ASKED)
        watch.ended(replace(ASKED, tenant=RATED, begun_s=begun_s), "whole", 200)
    assert watch.broken is None
    watch.ended(replace(ASKED, tenant=RATED, begun_s=within[0] + 1), "whole", 200)
    assert watch.broken is not None
    assert watch.broken.law == "rate"


def crowd(watch: Watch, mock_clock: Any, count: int) -> list[Asked]:
    asked = [replace(ASKED, tenant=CROWDED, tag=f"{CROWDED}1.{turn}") for turn in range(count)]
    for one in asked:
        mock_clock.jump(1)
        watch.begun(one)
        watch.arrived("north", one.tag)
    return asked


async def test_more_requests_at_one_time_than_are_allowed_are_found(mock_clock: Any) -> None:
    watch = watch_of([])
    crowd(watch, mock_clock, AT_ONE_TIME)
    assert watch.broken is None
    crowd(watch, mock_clock, AT_ONE_TIME + 1)
    assert watch.broken is not None
    assert watch.broken.law == "concurrency"


@pytest.mark.parametrize("end", ["answered", "left", "another call"])
async def test_what_has_ended_runs_no_longer(mock_clock: Any, end: str) -> None:
    watch = watch_of([])
    first, *_ = crowd(watch, mock_clock, AT_ONE_TIME)
    if end == "answered":
        watch.answered("north", first.tag, 3)
    elif end == "left":
        watch.ended(first, "left", 0)
        watch.arrived("south", first.tag)
    mock_clock.jump(1)
    another = first if end == "another call" else replace(first, tag=f"{CROWDED}2.1")
    watch.begun(another)
    watch.arrived("west", another.tag)
    assert watch.broken is None


def log_line(event: str) -> bytes:
    return msgspec.json.encode({"event": event, "provider": "north", "model": "m"})


@pytest.mark.parametrize(
    ("events", "is_legal"),
    [
        (("opened", "half_opened", "closed", "opened"), True),
        (("opened", "half_opened", "opened"), True),
        (("half_opened",), False),
        (("opened", "closed"), False),
        (("opened", "opened"), False),
    ],
)
async def test_breakers_change_as_they_may(events: tuple[str, ...], is_legal: bool) -> None:
    watch = watch_of([])
    for event in events:
        watch.read_log(log_line(f"breaker.{event}"))
    assert (watch.broken is None) == is_legal


async def test_a_crashed_request_is_found_in_the_log() -> None:
    watch = watch_of([])
    watch.read_log(log_line("request.crashed"))
    assert watch.broken is not None


async def test_in_the_calm_nobody_is_turned_away_twice(mock_clock: Any) -> None:
    watch = watch_of([])
    begun_s = PLAN.seconds + CALM_S
    mock_clock.jump(begun_s)
    strict = replace(ASKED, begun_s=begun_s)
    watch.ended(strict, "refused", 529)
    mock_clock.jump(SECOND_CHANCE_S)
    watch.ended(strict, "refused", 529)
    assert watch.broken is None
    mock_clock.jump(1)
    watch.ended(replace(strict, begun_s=0.0), "refused", 529)
    assert watch.broken is None
    watch.ended(strict, "refused", 529)
    assert watch.broken is not None
    assert watch.broken.law == "lost answer"


@pytest.mark.parametrize("trace", [lambda w: w.trace("a"), lambda w: w.arrived("north", "u1.1")])
async def test_the_digest_is_of_all_that_was_seen(mock_clock: Any, trace: Callable[[Watch], None]) -> None:
    one, same, late, other = (watch_of([]) for _ in range(4))
    trace(one)
    trace(same)
    mock_clock.jump(1)
    trace(late)
    other.trace("b")
    assert one.digest == same.digest
    assert len({one.digest, late.digest, other.digest}) == 3
