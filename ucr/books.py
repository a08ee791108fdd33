"""The accounts of all workers: what was used, and what is spent of budgets; one actor, and the one who writes them down.

How this works. Workers say what was used, and ask before a budget is spent (`actors.allowance`); both is answered from
memory, and written behind. Of requests that cannot be written, more than `MAX_ROWS` are dropped and counted.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, assert_never

import trio

from actors import Reply
from actors.allowance import Allowances, Balance
from actors.purse import DeclareParts, Held, Hold, PurseMessage, Settle, Short, SpenderLeft, Unsure
from ucr.logs import Log
from ucr.usage import Received, UsageRow, Used
from ucr.written_behind import Beside, WrittenBehind, in_thread

MAX_ROWS = 10_000
"""How many requests may wait to be written: about 5 MB."""

BooksMessage = PurseMessage | Used | Received


class Keeper(Protocol):
    """What is written to. `write` blocks, and raises `sqlite3.Error` or `OSError`; True: what was there is lost."""

    def write(self, rows: Sequence[UsageRow], balances: Sequence[Balance], now_s: float) -> bool: ...

    def close(self) -> None: ...


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


class Books(WrittenBehind[BooksMessage, _Batch]):
    """The child: everything that outlives a crash of the actor.

    `awaited` is how many spenders must declare before anything can be held, but for `recovery_s` at most. Without a
    `keeper` nothing is kept beyond the process.
    """

    topic = "usage"

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
        is_kept = keeper is not None
        super().__init__(name, lambda: BooksActor(self), unix_time, log, is_kept=is_kept, beside=beside)
        self.allowances = Allowances(kept)
        self.spenders: dict[str, int] = {}
        self._keeper = keeper
        self._unix_time = unix_time
        self._awaited = awaited
        self._recovered_at = trio.current_time() + recovery_s
        self._rows: deque[UsageRow] = deque(maxlen=MAX_ROWS)
        self._balances: dict[tuple[str, str], Balance] = {}
        self._written = self._dropped = 0

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
            self.failed,
        )

    def note(self, rows: Sequence[UsageRow]) -> None:
        """Keep what was used until it is written; the oldest has to go where there is no room."""
        if self.is_kept:
            self._dropped += max(0, len(self._rows) + len(rows) - MAX_ROWS)
            self._rows.extend(rows)

    def turn(self) -> None:
        """End the accounts whose time is over."""
        self.allowances.end(self._unix_time())

    def taken(self) -> _Batch | None:
        """Take what is new."""
        self._balances.update({(one.account, one.spender): one for one in self.allowances.changes()})
        if not (self._rows or self._balances):
            return None
        batch = _Batch(tuple(self._rows), tuple(self._balances.values()))
        self._rows.clear()
        self._balances.clear()
        return batch

    def write(self, batch: _Batch, now_s: float) -> bool:
        """Write it into the file."""
        return self._keeper is not None and self._keeper.write(batch.rows, batch.balances, now_s)

    def put_back(self, batch: _Batch) -> None:
        """Keep it for the next time, before what came later."""
        later = tuple(self._rows)
        self._rows.clear()
        self.note((*batch.rows, *later))
        self._balances = {(one.account, one.spender): one for one in batch.balances} | self._balances

    def kept(self, batch: _Batch, *, was_lost: bool) -> None:
        """Note that it is written. Where the file was lost, every balance is written again."""
        self._written += len(batch.rows)
        if was_lost:
            self.allowances.touch()

    def close_file(self) -> None:
        """Let go of the file."""
        if self._keeper is not None:
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
