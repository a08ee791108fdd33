from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio
from trio.testing import MockClock

from actors.borrower import Borrower
from actors.errors import LimitReached
from actors.lending import Want
from actors.limits import Borrow, Lender, Lent
from actors.mailbox import Mailbox
from actors.ref import Ref
from actors.supervisor import open_supervisor


@asynccontextmanager
async def lent_to(count: int, limits: Lender | None = None) -> AsyncIterator[tuple[Lender, list[Borrower]]]:
    """Run a lender with so many borrowers."""
    async with open_supervisor(rng=lambda: 0.0) as supervisor:
        lender = await supervisor.start(limits or Lender())
        borrowers = [await supervisor.start(Borrower(f"b{n}", name=f"b{n}")) for n in range(count)]
        for borrower in borrowers:
            borrower.attach(lender.ref)
        yield lender, borrowers


async def admitted(borrower: Borrower, want: Want) -> bool:
    try:
        await borrower.take(want)
    except LimitReached:
        return False
    return True


async def press(borrower: Borrower, want: Want, pause_s: float, times: list[float]) -> None:
    """Ask for ever, once in each pause; note when it was admitted."""
    while True:
        if await admitted(borrower, want):
            times.append(trio.current_time())
        await trio.sleep(pause_s)


def most_in_a_minute(times: list[float]) -> int:
    return max((sum(begin <= at < begin + 60 for at in times) for begin in times), default=0)


@pytest.mark.slow
@pytest.mark.parametrize(("rpm", "pauses"), [(60, (0.3,)), (600, (0.05, 0.02, 1.0, 7.0)), (7, (0.5, 0.9))])
async def test_all_borrowers_together_get_the_limit_and_in_no_minute_more(
    autojump_clock: MockClock, rpm: int, pauses: tuple[float, ...]
) -> None:
    times: list[float] = []
    async with lent_to(len(pauses)) as (_, borrowers), trio.open_nursery() as nursery:
        for borrower, pause_s in zip(borrowers, pauses, strict=True):
            nursery.start_soon(partial(press, borrower, Want("k", "rate", rpm), pause_s, times))
        await trio.sleep(183)
        nursery.cancel_scope.cancel(reason="measured")
    assert most_in_a_minute(times) <= rpm
    assert 0.95 <= sum(at < 183 for at in times) / (rpm * 183 / 60) <= 1.05 or rpm < 20
    assert 0.95 * rpm <= sum(at < 60 for at in times) <= rpm


async def test_idle_permits_go_back_so_that_another_gets_them(autojump_clock: MockClock) -> None:
    want = Want("k", "permits", 8)
    async with lent_to(2) as (_, (one, other)):
        for _ in range(8):
            await one.take(want)
        assert not await admitted(other, want)
        for _ in range(4):
            one.give_back("k")
        await trio.sleep(2.1)
        for _ in range(4):
            assert await admitted(other, want)
        assert not await admitted(other, want)


async def test_most_requests_ask_nobody(autojump_clock: MockClock) -> None:
    async with lent_to(1) as (lender, (borrower,)):
        for _ in range(10):
            for _ in range(100):
                await borrower.take(Want("k", "rate", 60_000))
            await trio.sleep(1)
        assert lender.mailbox.statistics().asked < 120


async def test_all_wants_are_taken_or_none(autojump_clock: MockClock) -> None:
    async with lent_to(1) as (_, (borrower,)):
        rate, permit = Want("rate", "rate", 10), Want("permit", "permits", 1)
        await borrower.take(rate, permit)
        with pytest.raises(LimitReached) as caught:
            await borrower.take(rate, permit)
        assert (caught.value.key, caught.value.retry_after_s) == ("permit", 1.0)
        borrower.give_back("permit")
        await borrower.take(rate, permit)
        await borrower.take(Want("rate", "rate", 10, need=8))
        assert not await admitted(borrower, rate)


async def test_a_need_above_the_limit_is_met_when_nothing_else_was_used(autojump_clock: MockClock) -> None:
    async with lent_to(1) as (_, (borrower,)):
        assert await admitted(borrower, Want("k", "rate", 10, need=500))
        assert not await admitted(borrower, Want("k", "rate", 10))
        await trio.sleep(62)
        assert await admitted(borrower, Want("k", "rate", 10, need=500))


async def test_a_refusal_says_when_to_come_back_and_then_there_is_something(autojump_clock: MockClock) -> None:
    async with lent_to(1) as (_, (borrower,)):
        want = Want("k", "rate", 3)
        for _ in range(3):
            await borrower.take(want)
        with pytest.raises(LimitReached) as caught:
            await borrower.take(want)
        await trio.sleep(caught.value.retry_after_s + 1)
        assert await admitted(borrower, want)


async def test_charges_and_refunds_correct_what_was_estimated(autojump_clock: MockClock) -> None:
    async with lent_to(1) as (_, (borrower,)):
        await borrower.take(Want("k", "rate", 100, need=50))
        taken_at = trio.current_time()
        borrower.charge(Want("k", "rate", 100, need=40))
        await trio.sleep(1.1)
        assert not await admitted(borrower, Want("k", "rate", 100, need=20))
        borrower.refund(Want("k", "rate", 100, need=30), taken_at)
        await trio.sleep(1.1)
        assert await admitted(borrower, Want("k", "rate", 100, need=40))
        assert not await admitted(borrower, Want("k", "rate", 100))


async def test_without_a_lender_each_keeps_within_a_share_of_its_own(autojump_clock: MockClock) -> None:
    want = Want("k", "rate", 8)
    async with lent_to(2) as (_, borrowers):
        for borrower in borrowers:
            await borrower.take(Want("else", "rate", 100))
            borrower.detach()
        got = [[await admitted(borrower, want) for _ in range(6)].count(True) for borrower in borrowers]
        assert got == [4, 4]


async def test_what_was_used_alone_is_told_to_the_next_lender(autojump_clock: MockClock) -> None:
    want = Want("k", "rate", 8)
    async with lent_to(2) as (_, borrowers):
        for borrower in borrowers:
            await borrower.take(want)
            borrower.detach()
            await borrower.take(want)
        async with open_supervisor() as supervisor:
            restarted = await supervisor.start(Lender("second", awaited=2))
            for borrower in borrowers:
                borrower.attach(restarted.ref)
            got = [[await admitted(borrower, want) for _ in range(6)].count(True) for borrower in borrowers]
            assert sum(got) == 4
            for borrower in borrowers:
                borrower.detach()


async def test_a_lender_that_is_silent_costs_a_tenth_of_a_second_once_in_a_while(
    autojump_clock: MockClock,
) -> None:
    silent = Ref(Mailbox("silent", capacity=100))
    borrower = Borrower("b")
    borrower.attach(silent)
    for _ in range(5):
        await borrower.take(Want("k", "rate", 100))
    assert trio.current_time() == pytest.approx(0.1)
    assert borrower.taken_alone == 5


async def test_a_lender_that_has_given_up_costs_nothing(autojump_clock: MockClock) -> None:
    closed = Mailbox("closed", capacity=100)
    closed.close()
    borrower = Borrower("b")
    borrower.attach(Ref(closed))
    await borrower.take(Want("k", "permits", 1))
    assert not await admitted(borrower, Want("k", "permits", 1))
    assert trio.current_time() == 0


async def test_one_who_leaves_while_it_is_asked_for_holds_nothing(autojump_clock: MockClock) -> None:
    silent = Ref(Mailbox("silent", capacity=100))
    want = Want("k", "permits", 1)
    borrower = Borrower("b")
    borrower.attach(silent)
    with trio.move_on_after(0.05):
        await borrower.take(want)
    borrower.detach()
    assert await admitted(borrower, want)


async def test_settling_while_somebody_asks_forgets_nothing(autojump_clock: MockClock) -> None:
    async with lent_to(1) as (lender, (borrower,)):
        want = Want("k", "permits", 2)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(borrower.take, want)
            await trio.lowlevel.checkpoint()
            borrower.settle()
        assert borrower.stock(want).in_use == 1
        account = lender.account("k")
        assert account is not None
        assert account.held == 1


async def test_an_answer_that_nobody_claims_is_kept_in_stock(autojump_clock: MockClock) -> None:
    borrower = Borrower("b")
    want = Want("k", "rate", 10)
    borrower.unclaimed(Borrow("b", (want,)), Lent((4,), 1))
    assert borrower.stock(want).spare == 4


@pytest.mark.slow
async def test_the_table_of_stocks_is_bounded(autojump_clock: MockClock) -> None:
    async with lent_to(1) as (lender, (borrower,)):
        for number in range(5000):
            await borrower.take(Want(f"k{number}", "rate", 10))
        assert "2048 stocks" in repr(borrower)
        await trio.sleep(63)
        assert "0 stocks" in repr(borrower)
        assert lender.statistics().limits <= 2048


async def test_what_is_left_is_what_the_lender_said_and_what_is_in_stock(autojump_clock: MockClock) -> None:
    want = Want("k", "rate", 100)
    async with open_supervisor() as supervisor:
        lender = await supervisor.start(Lender())
        one, other = Borrower("a"), Borrower("b")
        assert one.remaining(want) == 100
        await one.take(want)
        assert one.remaining(want) == 99
        one.attach(lender.ref)
        other.attach(lender.ref)
        for _ in range(10):
            await other.take(want)
        other.settle()
        await trio.sleep(0.1)
        await one.take(want)
        assert one.remaining(want) == 88
        one.settle()
        assert one.remaining(want) == 88
        one.charge(Want("k", "rate", 100, need=200))
        assert one.remaining(want) == 0
