"""A file in SQLite of what the router did, bounded by the age of what is in it and by its size.

Everything here blocks: it is called in a thread, at a start, or at the very end. Only this user can read the file. One
that is damaged is moved aside, and another one begun in its place; so is one where somebody has removed it.
"""

import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar

from actors.sqlite_file import is_damage, move_aside

BUSY_S = 1.0
PRUNE_EVERY = 256
"""After so many writes what is too old or too much is removed."""

AT_ONCE = (64, 8, 1)
"""So many rows go in one statement, as many as there are.

Each statement lets go of the interpreter and waits to have it again, which takes longer than all else there is to a row
while the loop is busy. SQLite takes 999 values in a statement at least.
"""

PAGE_BYTES = 16_384
"""Of a file that is begun. Pages of 4 KiB, of which an entry of the journal fills a fifth, take twice as long in all."""
_WAL_BYTES = 4 * 1024 * 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long something is kept, and how large the file may be."""

    keep_s: float
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What is in a file. Of the table, whose rows have their time in `at_s`, the oldest rows make room."""

    version: int
    table: str
    schema: tuple[str, ...]


class KeptFile:
    """A file that is opened when there is something to do with it: also after a time in which it could not be.

    Every method raises `sqlite3.Error` or `OSError` when it cannot do what it is to.
    """

    def __init__(self, path: Path, bounds: Bounds, plan: Plan) -> None:
        self._path = path
        self._bounds = bounds
        self._plan = plan
        self._writes = 0
        self._added_bytes = 0
        self._place: tuple[int, int] | None = None
        self._connection: sqlite3.Connection | None = None

    def __repr__(self) -> str:
        return f"<KeptFile {self._path}>"

    def run(self, act: Callable[[sqlite3.Connection], T]) -> tuple[T, bool]:
        """Do something in one transaction: all of it or nothing.

        Return its result, and whether the file was damaged: then what was in it before is lost.
        """
        connection = self.open()
        try:
            return _run(connection, act), False
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            self.close()
            self._connection = self._replaced()
            return _run(self._connection, act), True

    def open(self) -> sqlite3.Connection:
        """Return the connection to the file that is there; it is a new one where there is another file, or none."""
        if self._connection is None or self._place is None or self._place != self._found():
            self.close()
            self._connection = self._opened()
        return self._connection

    def write(self, act: Callable[[sqlite3.Connection], object], now_s: float, added_bytes: int = 0) -> bool:
        """Do something in one transaction that adds so much to the file; remove now and then what is too old or too much.

        Return whether the file was damaged, as `run` does.
        """

        def written(connection: sqlite3.Connection) -> None:
            act(connection)
            self._writes += 1
            self._added_bytes += added_bytes
            if self._writes % PRUNE_EVERY == 1 or self._added_bytes > self._bounds.max_bytes // 16:
                self._added_bytes = 0
                self._prune(connection, now_s)

        return self.run(written)[1]

    def close(self) -> None:
        """Let go of the file; it is opened again when there is something to do with it."""
        self._place = None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _found(self) -> tuple[int, int] | None:
        """Return which file is where this one was opened; None where there is none any more."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _prune(self, connection: sqlite3.Connection, now_s: float) -> None:
        table = self._plan.table
        connection.execute(f"delete from {table} where at_s < ?", (now_s - self._bounds.keep_s,))
        tenth = f"select rowid from {table} order by at_s limit (select count(*) / 10 + 1 from {table})"
        while _taken_bytes(connection) > self._bounds.max_bytes:
            if not connection.execute(f"delete from {table} where rowid in ({tenth})").rowcount:
                break

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
            _tune(connection)
            self._lay_out(connection)
            self._place = self._found()
        except BaseException:
            connection.close()
            raise
        return connection

    def _lay_out(self, connection: sqlite3.Connection) -> None:
        plan = self._plan
        (version,) = connection.execute("pragma user_version").fetchone()
        if version == 0:
            with connection:
                for statement in (*plan.schema, f"pragma user_version = {plan.version}"):
                    connection.execute(statement)
        elif version != plan.version:
            raise sqlite3.OperationalError(f"the file is of version {version}, not {plan.version}")


def _tune(connection: sqlite3.Connection) -> None:
    """Say how the file is to be written. One that is there already keeps the size of its pages."""
    for pragma in (f"page_size = {PAGE_BYTES}", "journal_mode = wal", "synchronous = normal"):
        connection.execute(f"pragma {pragma}").fetchall()
    (size,) = connection.execute("pragma page_size").fetchone()
    for pragma in (f"wal_autocheckpoint = {_WAL_BYTES // size}", f"journal_size_limit = {_WAL_BYTES}"):
        connection.execute(f"pragma {pragma}").fetchall()


def _run(connection: sqlite3.Connection, act: Callable[[sqlite3.Connection], T]) -> T:
    with connection:
        return act(connection)


def insert(
    connection: sqlite3.Connection,
    table: str,
    columns: Sequence[str],
    rows: Sequence[T],
    values: Callable[[T], Sequence[object]],
) -> None:
    """Add rows to a table in few statements; `values` gives those of a row, one for every column."""
    done = 0
    for count in AT_ONCE:
        while len(rows) - done >= count:
            _insert(connection, table, columns, [*map(values, rows[done : done + count])])
            done += count


def _insert(
    connection: sqlite3.Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """Add rows in one statement, without the columns in which none of them has a value.

    To hand None over takes five times as long as a number: only of numbers and texts does Python know at once that
    nobody has to be asked for what SQLite can take.
    """
    whole = zip(columns, zip(*rows, strict=True), strict=True)
    names, cells = zip(*[column for column in whole if column[1].count(None) < len(rows)], strict=True)
    row = f"({', '.join('?' * len(names))})"
    statement = f"insert into {table} ({', '.join(names)}) values {', '.join([row] * len(rows))}"
    connection.execute(statement, (*chain.from_iterable(zip(*cells, strict=True)),))


def _taken_bytes(connection: sqlite3.Connection) -> int:
    (pages,) = connection.execute("pragma page_count").fetchone()
    (free,) = connection.execute("pragma freelist_count").fetchone()
    (size,) = connection.execute("pragma page_size").fetchone()
    return int((pages - free) * size)
