"""The file of the accounts, in SQLite: what was used, and what is spent of budgets.

Everything here blocks: it is called in a thread, at a start, or at the very end. The file is bounded by the age of what is in
it and by its size, of which the oldest tenth goes when it is reached; only this user can read it.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from actors.allowance import GONE, Balance
from actors.sqlite_file import is_damage, move_aside
from ucr.usage import UsageRow

NAME = "usage.sqlite3"
VERSION = 1
BUSY_S = 1.0
DAY_S = 86_400.0
PRUNE_EVERY = 256
"""After so many writes what is too old or too much is removed."""

_COLUMNS = (
    "at_s real not null",
    "client text",
    "session text",
    "provider text not null",
    "model text not null",
    "status integer not null",
    "cache text not null",
    "input_tokens integer",
    "output_tokens integer",
    "cache_read_tokens integer",
    "cache_write_tokens integer",
    "cost_nano integer",
)
_SCHEMA = (
    f"create table usage ({', '.join(_COLUMNS)})",
    "create index usage_at on usage (at_s)",
    "create table balances (account text, spender text, until_s real not null, amount integer not null, "
    "primary key (account, spender)) without rowid",
    f"pragma user_version = {VERSION}",
)
_INSERT = f"insert into usage values ({', '.join('?' * len(_COLUMNS))})"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long requests are kept, and how large the file may be."""

    keep_s: float
    max_bytes: int


class UsageFile:
    """An open file. Every method raises `sqlite3.Error` or `OSError` when it cannot do what it is to.

    A file that is damaged is moved aside, and another one begun in its place.
    """

    def __init__(self, path: Path, bounds: Bounds) -> None:
        self._path = path
        self._bounds = bounds
        self._writes = 0
        self._connection = self._opened()

    def __repr__(self) -> str:
        return f"<UsageFile {self._path}>"

    def balances(self, now_s: float, *, joined: bool) -> tuple[Balance, ...]:
        """Return what is spent of accounts that have not ended; `joined` counts all spenders as one that is gone."""
        try:
            return self._balances(now_s, joined=joined)
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            self.close()
            self._connection = self._replaced()
            return ()

    def write(self, rows: Sequence[UsageRow], balances: Sequence[Balance], now_s: float) -> bool:
        """Keep all of it or nothing; True: the file was damaged, and what was in it before is lost."""
        try:
            self._write(rows, balances, now_s)
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            self.close()
            self._connection = self._replaced()
            self._write(rows, balances, now_s)
            return True
        return False

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _balances(self, now_s: float, *, joined: bool) -> tuple[Balance, ...]:
        with self._turn() as connection:
            connection.execute("delete from balances where until_s < ?", (now_s - DAY_S,))
            if joined:
                sums = connection.execute(
                    "select account, max(until_s), sum(amount) from balances group by account"
                )
                whole = [(account, GONE, until_s, amount) for account, until_s, amount in sums.fetchall()]
                connection.execute("delete from balances")
                connection.executemany("insert into balances values (?, ?, ?, ?)", whole)
            found = connection.execute("select account, spender, until_s, amount from balances").fetchall()
        return tuple(Balance(*row) for row in found)

    def _write(self, rows: Sequence[UsageRow], balances: Sequence[Balance], now_s: float) -> None:
        with self._turn() as connection:
            connection.executemany(_INSERT, map(_values, rows))
            connection.executemany(
                "insert or replace into balances values (?, ?, ?, ?)",
                ((one.account, one.spender, one.until_s, one.amount) for one in balances),
            )
            self._writes += 1
            if self._writes % PRUNE_EVERY == 1:
                self._prune(connection, now_s)

    def _prune(self, connection: sqlite3.Connection, now_s: float) -> None:
        connection.execute("delete from usage where at_s < ?", (now_s - self._bounds.keep_s,))
        (pages,) = connection.execute("pragma page_count").fetchone()
        (free,) = connection.execute("pragma freelist_count").fetchone()
        (size,) = connection.execute("pragma page_size").fetchone()
        if (pages - free) * size > self._bounds.max_bytes:
            tenth = "select rowid from usage order by at_s limit (select count(*) / 10 + 1 from usage)"
            connection.execute(f"delete from usage where rowid in ({tenth})")

    @contextlib.contextmanager
    def _turn(self) -> Iterator[sqlite3.Connection]:
        with self._connection:
            yield self._connection

    def _opened(self) -> sqlite3.Connection:
        try:
            return self._ready()
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
        return self._replaced()

    def _replaced(self) -> sqlite3.Connection:
        move_aside(self._path)
        return self._ready()

    def _ready(self) -> sqlite3.Connection:
        """Open the file, which is made when it is not there; a damaged page is seen only when it is read."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        self._path.chmod(0o600)
        connection = sqlite3.connect(self._path, timeout=BUSY_S, check_same_thread=False)
        try:
            for pragma in ("journal_mode = wal", "synchronous = normal", "journal_size_limit = 4194304"):
                connection.execute(f"pragma {pragma}").fetchall()
            (version,) = connection.execute("pragma user_version").fetchone()
            if version == 0:
                with connection:
                    for statement in _SCHEMA:
                        connection.execute(statement)
            elif version != VERSION:
                raise sqlite3.OperationalError(f"the file is of version {version}, not {VERSION}")
        except BaseException:
            connection.close()
            raise
        return connection


def _values(row: UsageRow) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in row.__struct_fields__)
