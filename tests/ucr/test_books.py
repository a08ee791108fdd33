"""The books: what is said to them is answered from memory, and written behind."""

import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import trio
from trio.testing import MockClock

from actors import open_supervisor
from actors.allowance import GONE, Balance, Part
from actors.purse import DeclareParts, Held, Hold, Purse, Settle, Short, SpenderLeft, Unsure
from ucr.books import MAX_ROWS, Books
from ucr.logs import make_log
from ucr.usage import Received, UsageRow, Used
from ucr.written_behind import WRITE_S

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def row(number: int = 0) -> UsageRow:
    return UsageRow(float(number), "a", None, "up", "m", 200, "miss", 1, 2, None, None, 5)


class Disk:
    """What is written to, which fails as it is told to."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.rows: list[UsageRow] = []
        self.balances: dict[tuple[str, str], int] = {}
        self.is_damaged = self.is_closed = False
        self.writes = 0

    def write(self, rows: Sequence[UsageRow], balances: Sequence[Balance], now_s: float) -> bool:
        self.writes += 1
        if self.error is not None:
            raise self.error
        was_damaged, self.is_damaged = self.is_damaged, False
        if was_damaged:
            self.rows, self.balances = [], {}
        self.rows += rows
        self.balances |= {(one.account, one.spender): one.amount for one in balances}
        return was_damaged

    def close(self) -> None:
        self.is_closed = True


async def at_once(work: Callable[[], bool]) -> bool:
    await trio.lowlevel.checkpoint()
    return work()


class Site:
    def __init__(self) -> None:
        self.disk = Disk()
        self.lines: list[dict[str, Any]] = []
        self.log = make_log("info", (), (lambda line: self.lines.append(json.loads(line)),), lambda: NOW)

    @asynccontextmanager
    async def open(self, **given: Any) -> AsyncIterator[Books]:
        async with open_supervisor(rng=lambda: 0.0) as supervisor:
            keeper = given.pop("keeper", self.disk)
            yield await supervisor.start(
                Books("books", keeper, trio.current_time, self.log, beside=at_once, **given)
            )


async def test_what_was_used_is_written_within_a_second_and_once(autojump_clock: MockClock) -> None:
    site = Site()
    async with site.open() as books:
        books.ref.tell(Used((row(1), row(2))))
        await trio.sleep(WRITE_S + 0.1)
        assert site.disk.rows == [row(1), row(2)]
        await trio.sleep(10)
        assert site.disk.writes == 1
        assert books.statistics().written == 2
    assert site.disk.is_closed


async def test_what_is_new_at_the_end_is_written_then(autojump_clock: MockClock) -> None:
    site = Site()
    async with site.open() as books:
        books.ref.tell(Used((row(),)))
        books.ref.tell(Settle("w", "k", 9e9, 1, 40))
        await books.ref.ask(Received())
    assert (site.disk.rows, site.disk.balances) == ([row()], {("k", "w"): 40})


async def test_a_disk_that_is_full_loses_nothing_until_there_is_no_room_and_is_told_once(
    autojump_clock: MockClock,
) -> None:
    site = Site()
    site.disk.error = sqlite3.OperationalError("database or disk is full")
    async with site.open() as books:
        books.ref.tell(Used((row(1),)))
        books.ref.tell(Settle("w", "k", 9e9, 1, 40))
        await trio.sleep(5.5)
        books.ref.tell(Used((row(2),)))
        assert books.statistics().failed == 5
        site.disk.error = None
        await trio.sleep(1.5)
        assert site.disk.rows == [row(1), row(2)]
        assert site.disk.balances == {("k", "w"): 40}
    assert [line["event"] for line in site.lines] == ["usage.unwritten"]


async def test_of_what_cannot_be_written_only_the_latest_is_kept(autojump_clock: MockClock) -> None:
    site = Site()
    site.disk.error = OSError("no space left on device")
    async with site.open() as books:
        for number in range(4):
            books.ref.tell(Used(tuple(row(n) for n in range(number * 4000, (number + 1) * 4000))))
            await trio.sleep(2.1)
        found = books.statistics()
        assert (found.waiting, found.dropped) == (MAX_ROWS, 16_000 - MAX_ROWS)
        site.disk.error = None
    assert [one.at_s for one in site.disk.rows] == [float(n) for n in range(6000, 16_000)]


async def test_after_a_damage_all_that_is_spent_is_written_again(autojump_clock: MockClock) -> None:
    site = Site()
    async with site.open(kept=(Balance("k", GONE, 9e9, 30),)) as books:
        books.ref.tell(Settle("w", "k", 9e9, 1, 5))
        await trio.sleep(1.5)
        assert site.disk.balances == {("k", "w"): 5}
        site.disk.is_damaged = True
        books.ref.tell(Used((row(),)))
        await trio.sleep(3)
        assert site.disk.balances == {("k", "w"): 5, ("k", GONE): 30}
    assert [line["event"] for line in site.lines] == ["usage.damaged"]


async def test_a_crash_of_the_actor_forgets_nothing(autojump_clock: MockClock) -> None:
    site = Site()
    async with site.open() as books:
        books.ref.tell(Settle("w", "k", 9e9, 1, 90))
        books.ref.tell(Used((row(),)))
        books.ref.tell("nonsense")  # type: ignore[arg-type]
        await trio.sleep(3)
        assert site.disk.rows == [row()]
        assert await books.ref.ask(Hold("x", "k", 9e9, 1, 20, 100)) == Short(90, 0)
        assert await books.ref.ask(Hold("x", "k", 9e9, 2, 10, 100)) == Held()


async def test_without_a_file_budgets_hold_and_nothing_is_kept(autojump_clock: MockClock) -> None:
    site = Site()
    async with site.open(keeper=None) as books:
        books.ref.tell(Used((row(),)))
        assert await books.ref.ask(Hold("x", "k", 9e9, 1, 60, 100)) == Held()
        assert await books.ref.ask(Hold("y", "k", 9e9, 1, 60, 100)) == Short(0, 60)
        await trio.sleep(2)
        assert (books.statistics().waiting, site.disk.writes) == (0, 0)


async def test_books_that_lost_their_memory_wait_until_all_spenders_have_declared(
    autojump_clock: MockClock,
) -> None:
    site = Site()
    async with site.open(awaited=2, kept=(Balance("k", "w", 9e9, 10),)) as books:
        books.ref.tell(DeclareParts("w", (Part("k", 9e9, 20, ((1, 5),)),), 1))
        assert await books.ref.ask(Hold("w", "k", 9e9, 2, 1, 100)) == Unsure()
        books.ref.tell(DeclareParts("v", (), 1))
        assert await books.ref.ask(Hold("w", "k", 9e9, 3, 76, 100)) == Short(20, 5)
        assert await books.ref.ask(Hold("w", "k", 9e9, 4, 75, 100)) == Held()


async def test_books_do_not_wait_for_ever(autojump_clock: MockClock) -> None:
    async with Site().open(awaited=2) as books:
        await trio.sleep(2.1)
        assert await books.ref.ask(Hold("w", "k", 9e9, 3, 76, 100)) == Held()


async def test_who_is_gone_has_spent_what_he_held_and_a_late_end_takes_nothing(
    autojump_clock: MockClock,
) -> None:
    async with Site().open() as books:
        books.ref.tell(DeclareParts("w", (), 1))
        await books.ref.ask(Hold("w", "k", 9e9, 1, 60, 100))
        books.ref.tell(DeclareParts("w", (Part("k", 9e9, 0, ((1, 60),)),), 2))
        books.ref.tell(SpenderLeft("w", 1))
        assert await books.ref.ask(Hold("v", "k", 9e9, 1, 60, 100)) == Short(0, 60)
        books.ref.tell(SpenderLeft("w", 2))
        assert await books.ref.ask(Hold("v", "k", 9e9, 1, 60, 100)) == Short(60, 0)


async def test_a_hold_that_nobody_waits_for_is_none(autojump_clock: MockClock) -> None:
    async with Site().open() as books:
        purse = Purse("w", trio.current_time)
        purse.attach(books.ref)
        with trio.CancelScope() as scope:
            scope.cancel(reason="the asker leaves")
            await purse.hold("k", 9e9, 100, 60)
        await trio.sleep(0.1)
        assert books.allowances.held("k") == 0


async def test_accounts_that_have_ended_take_no_memory(autojump_clock: MockClock) -> None:
    async with Site().open() as books:
        for day in range(30):
            books.ref.tell(Settle("w", f"k{day}", float(day), 1, 1))
        await trio.sleep(40)
        assert books.statistics().accounts == 0
