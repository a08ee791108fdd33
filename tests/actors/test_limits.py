from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.lending import Holding, Settlement, Want
from actors.limits import Borrow, Declare, Leave, Lender, Lent, Recovering, Settled, Short
from actors.supervisor import open_supervisor

ONE = (Want("k", "rate", 10),)


@asynccontextmanager
async def opened(limits: Lender) -> AsyncIterator[Lender]:
    async with open_supervisor(rng=lambda: 0.0) as supervisor:
        yield await supervisor.start(limits)


async def test_all_wants_are_lent_or_none(autojump_clock: MockClock) -> None:
    async with opened(Lender()) as limits:
        wants = (Want("rate", "rate", 5, need=2), Want("permit", "permits", 1))
        assert await limits.ref.ask(Borrow("a", wants)) == Lent((2, 1), 1)
        assert await limits.ref.ask(Borrow("a", wants)) == Short("permit", 1.0, 1)
        rate = limits.account("rate")
        assert rate is not None
        assert rate.held == 2
        assert limits.statistics().short == 1


async def test_what_nobody_waits_for_is_not_lent(autojump_clock: MockClock) -> None:
    async with opened(Lender()) as limits:
        with trio.CancelScope() as scope:
            scope.cancel(reason="the asker leaves")
            await limits.ref.ask(Borrow("a", ONE))
        await wait_all_tasks_blocked()
        assert limits.statistics().lent == 0


async def test_a_crash_forgets_nothing_that_was_lent(autojump_clock: MockClock) -> None:
    async with opened(Lender()) as limits:
        await limits.ref.ask(Borrow("a", (Want("k", "rate", 10, need=10),)))
        limits.ref.tell("nonsense")  # type: ignore[arg-type]
        await trio.sleep(1)
        assert isinstance(await limits.ref.ask(Borrow("a", ONE)), Short)


async def test_who_leaves_gives_permits_back(autojump_clock: MockClock) -> None:
    async with opened(Lender()) as limits:
        permit = (Want("k", "permits", 1),)
        await limits.ref.ask(Borrow("a", permit))
        assert isinstance(await limits.ref.ask(Borrow("b", permit)), Short)
        limits.ref.tell(Leave("a"))
        assert await limits.ref.ask(Borrow("b", permit)) == Lent((1,), 1)


async def test_the_late_end_of_an_old_connection_takes_nothing_from_a_new_one(
    autojump_clock: MockClock,
) -> None:
    async with opened(Lender()) as limits:
        limits.ref.tell(Declare("a", (Holding("k", "permits", 1, 1),), session=2))
        limits.ref.tell(Leave("a", session=1))
        assert isinstance(await limits.ref.ask(Borrow("b", (Want("k", "permits", 1),))), Short)
        limits.ref.tell(Leave("a", session=2))
        assert isinstance(await limits.ref.ask(Borrow("b", (Want("k", "permits", 1),))), Lent)


async def test_a_lender_without_memory_lends_nothing_until_all_have_declared(autojump_clock: MockClock) -> None:
    async with opened(Lender(awaited=2)) as limits:
        limits.ref.tell(Declare("a", (Holding("k", "rate", 10, 0, ((5, 6),)),)))
        assert await limits.ref.ask(Borrow("a", ONE)) == Recovering()
        limits.ref.tell(Declare("b", (Holding("k", "rate", 10, 0, ((2, 3),)),)))
        assert await limits.ref.ask(Borrow("a", ONE)) == Lent((1,), 2)
        assert isinstance(await limits.ref.ask(Borrow("a", ONE)), Short)


async def test_it_waits_for_declarations_two_seconds_at_most(autojump_clock: MockClock) -> None:
    async with opened(Lender(awaited=2)) as limits:
        limits.ref.tell(Declare("a", ()))
        assert await limits.ref.ask(Borrow("a", ONE)) == Recovering()
        await trio.sleep(2)
        assert await limits.ref.ask(Borrow("a", ONE)) == Lent((1,), 1)


async def test_a_second_declaration_counts_nothing_twice(autojump_clock: MockClock) -> None:
    async with opened(Lender()) as limits:
        for _ in range(2):
            limits.ref.tell(Declare("a", (Holding("k", "rate", 10, 1, ((5, 6),)),)))
        assert await limits.ref.ask(Borrow("a", (Want("k", "rate", 10, need=3),))) == Lent((3,), 1)


async def test_a_new_limit_holds_at_once(autojump_clock: MockClock) -> None:
    async with opened(Lender()) as limits:
        await limits.ref.ask(Borrow("a", (Want("k", "rate", 10, need=10),)))
        assert isinstance(await limits.ref.ask(Borrow("a", (Want("k", "rate", 5),))), Short)
        assert await limits.ref.ask(Borrow("a", (Want("k", "rate", 12),))) == Lent((1,), 1)


@pytest.mark.parametrize("keys", [10, 1000])
async def test_the_table_of_limits_is_bounded_and_idle_ones_are_forgotten(
    autojump_clock: MockClock, keys: int
) -> None:
    async with opened(Lender(max_keys=100)) as limits:
        for number in range(keys):
            await limits.ref.ask(Borrow("a", (Want(f"k{number}", "rate", 10),)))
            limits.ref.tell(Settled("a", (Settlement(f"k{number}", spent=1),)))
        assert limits.statistics().limits == min(keys, 100)
        await trio.sleep(62)
        for _ in range(20):
            limits.ref.tell(Settled("a", ()))
        await wait_all_tasks_blocked()
        assert limits.statistics().limits == 0
