"""The accounts of all workers: what was used, and what is spent of budgets; one actor, and the one who writes them down.

How this works. Workers say what was used, and ask before a budget is spent (`actors.allowance`); both is answered from
memory. Once a second what is new is written, in a thread, so that nobody waits for a disk. What cannot be written is
tried again with what comes next; of requests, more than `MAX_ROWS` are dropped and counted.
"""

import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, assert_never

import trio

from actors import ActorChild, Mailbox, Reply
from actors.allowance import Allowances, Balance
from actors.purse import DeclareParts, Held, Hold, PurseMessage, Settle, Short, SpenderLeft, Unsure
from ucr.logs import Log
from ucr.usage import Received, UsageRow, Used

WRITE_S = 1.0
MAX_ROWS = 10_000
"""How many requests may wait to be written: about 5 MB."""
CAPACITY = 4096

BooksMessage = PurseMessage | Used | Received


class Keeper(Protocol):
    """What is written to. `write` blocks, and raises `sqlite3.Error` or `OSError`; True: what was there is lost."""

    def write(self, rows: Sequence[UsageRow], balances: Sequence[Balance], now_s: float) -> bool: ...

    def close(self) -> None: ...


Beside = Callable[[Callable[[], bool]], Awaitable[bool]]
"""Does beside the loop what blocks."""


async def in_thread(work: Callable[[], bool]) -> bool:
    """Do in a thread what blocks; it is waited for, whatever happens."""
    return await trio.to_thread.run_sync(work)


@dataclass(frozen=True, slots=True)
class BooksStatistics:
    accounts: int
    spenders: int
    waiting: int
    written: int
    dropped: int
    failed: int


@dataclass(frozen=True, slots=True)
class _Batch:
    rows: tuple[UsageRow, ...]
    balances: tuple[Balance, ...]


class Books(ActorChild[BooksMessage]):
    """The child: everything that outlives a crash of the actor.

    `awaited` is how many spenders must declare before anything can be held, but for `recovery_s` at most. Without a
    `keeper` nothing is kept beyond the process.
    """

    def __init__(
        self,
        name: str,
        keeper: Keeper | None,
        unix_time: Callable[[], float],
        log: Log,
        *,
        kept: Sequence[Balance] = (),
        awaited: int = 0,
        recovery_s: float = 2.0,
        beside: Beside = in_thread,
    ) -> None:
        super().__init__(Mailbox(name, capacity=CAPACITY), lambda: BooksActor(self))
        self.allowances = Allowances(kept)
        self.spenders: dict[str, int] = {}
        self._keeper = keeper
        self._unix_time = unix_time
        self._log = log
        self._beside = beside
        self._awaited = awaited
        self._recovered_at = trio.current_time() + recovery_s
        self._rows: deque[UsageRow] = deque(maxlen=MAX_ROWS)
        self._balances: dict[tuple[str, str], Balance] = {}
        self._written = self._dropped = self._failed = 0
        self._is_failing = False

    @property
    def is_recovering(self) -> bool:
        return len(self.spenders) < self._awaited and trio.current_time() < self._recovered_at

    def statistics(self) -> BooksStatistics:
        return BooksStatistics(
            len(self.allowances),
            len(self.spenders),
            len(self._rows),
            self._written,
            self._dropped,
            self._failed,
        )

    def note(self, rows: Sequence[UsageRow]) -> None:
        """Keep what was used until it is written; the oldest has to go where there is no room."""
        if self._keeper is not None:
            self._dropped += max(0, len(self._rows) + len(rows) - MAX_ROWS)
            self._rows.extend(rows)

    async def run(self) -> None:
        """Run one incarnation, and write beside it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(super().run)
            while True:
                await trio.sleep(WRITE_S)
                await self._keep()
                self.allowances.end(self._unix_time())

    async def _keep(self) -> None:
        """Write what is new; what is not written waits on."""
        batch = self._taken()
        if self._keeper is None or batch is None:
            return
        try:
            was_lost = await self._beside(
                partial(self._keeper.write, batch.rows, batch.balances, self._unix_time())
            )
        except (sqlite3.Error, OSError) as error:
            self._put_back(batch, error)
        except BaseException:
            self._put_back(batch)
            raise
        else:
            self._note_kept(batch, was_lost)

    def _taken(self) -> _Batch | None:
        self._balances.update({(one.account, one.spender): one for one in self.allowances.changes()})
        if not (self._rows or self._balances):
            return None
        batch = _Batch(tuple(self._rows), tuple(self._balances.values()))
        self._rows.clear()
        self._balances.clear()
        return batch

    def _put_back(self, batch: _Batch, error: Exception | None = None) -> None:
        later = tuple(self._rows)
        self._rows.clear()
        self.note((*batch.rows, *later))
        self._balances = {(one.account, one.spender): one for one in batch.balances} | self._balances
        if error is not None:
            self._failed += 1
            if not self._is_failing:
                self._log.warning("usage.unwritten", error=str(error))
            self._is_failing = True

    def _note_kept(self, batch: _Batch, was_lost: bool) -> None:
        self._is_failing = False
        self._written += len(batch.rows)
        if was_lost:
            self.allowances.touch()
            self._log.warning("usage.damaged")

    async def aclose(self) -> None:
        """Write for the last time: nobody waits for this process any more."""
        try:
            await super().aclose()
        finally:
            self._close()

    def _close(self) -> None:
        if self._keeper is None:
            return
        if (batch := self._taken()) is not None:
            try:
                self._keeper.write(batch.rows, batch.balances, self._unix_time())
            except (sqlite3.Error, OSError) as error:
                self._put_back(batch, error)
        self._keeper.close()


class BooksActor:
    """One incarnation; it holds nothing itself."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def receive(self, message: BooksMessage, reply: Reply[Any]) -> None:
        books = self._books
        match message:
            case Used(rows=rows):
                books.note(rows)
            case Hold():
                self._hold(message, reply)
            case Settle(spender=spender, account=account, until_s=until_s, number=number, spent=spent):
                books.allowances.settle(account, until_s, spender, number, spent)
            case DeclareParts(spender=spender, parts=parts, session=session):
                books.spenders[spender] = session
                books.allowances.declare(spender, parts)
            case SpenderLeft(spender=spender, session=session):
                if books.spenders.get(spender) == session:
                    del books.spenders[spender]
                    books.allowances.leave(spender)
            case Received():
                reply.answer(None)
            case other:
                assert_never(other)

    def _hold(self, asked: Hold, reply: Reply[Any]) -> None:
        allowances, account, spender = self._books.allowances, asked.account, asked.spender
        if self._books.is_recovering:
            reply.answer(Unsure())
        elif not allowances.hold(account, asked.until_s, spender, asked.number, asked.amount, asked.limit):
            reply.answer(Short(allowances.spent(account), allowances.held(account)))
        elif not reply.answer(Held()):
            allowances.release(account, spender, asked.number)
