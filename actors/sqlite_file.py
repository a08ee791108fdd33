"""A file of entries, in SQLite. Everything here blocks: it is called in a thread, or at the very end.

Entries stand under seal (`actors.sealing`), so that what was damaged or written by a stranger is not found. What is
removed is overwritten. The file grows to a bound that SQLite itself keeps, and only this user can read it.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

APPLICATION = 0x55435243
VERSION = 1
BUSY_S = 0.2
PAGE_BYTES = 4096
SPARE_BYTES = 4 * 1024 * 1024
"""What the file may take beyond its entries, for keys, tags and pages that are half full."""
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BESIDE = ("", "-wal", "-shm")
_SCHEMA = """
create table if not exists entries (
    key blob primary key, sealed blob not null, expires_s real not null, tags text not null
) without rowid
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One entry; `expires_s` is a time on the wall."""

    key: bytes
    sealed: bytes
    expires_s: float
    tags: tuple[str, ...]


Index = dict[bytes, tuple[float, int]]
"""When each key expires, and how many bytes its entry takes, the one that expires first before the others."""


class SqliteFile:
    """An open file. Every method may raise `sqlite3.Error`; see `is_damage`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<SqliteFile {self._path}>"

    def index(self, now_s: float) -> Index:
        """Forget what has expired, and return what is there."""
        with self._turn() as connection:
            connection.execute("delete from entries where expires_s <= ?", (now_s,))
            found = connection.execute("select key, expires_s, length(sealed) from entries order by expires_s")
            return {key: (expires_s, size) for key, expires_s, size in found}

    def read(self, key: bytes, now_s: float) -> bytes | None:
        """Return the sealed entry under a key."""
        question = "select sealed from entries where key = ? and expires_s > ?"
        with self._turn() as connection:
            found = connection.execute(question, (key, now_s)).fetchone()
        return None if found is None else bytes(found[0])

    def write(self, rows: Sequence[Row], gone: Iterable[bytes]) -> None:
        """Forget some keys and keep some entries: all of it or nothing."""
        with self._turn() as connection:
            connection.executemany("delete from entries where key = ?", ((key,) for key in gone))
            values = ((row.key, row.sealed, row.expires_s, _joined(row.tags)) for row in rows)
            connection.executemany("insert or replace into entries values (?, ?, ?, ?)", values)

    def clear(self, tag: str | None) -> int:
        """Forget the entries with a tag, or all; return how many it were."""
        with self._turn() as connection:
            if tag is None:
                removed = connection.execute("delete from entries").rowcount
            else:
                removed = connection.execute(
                    "delete from entries where instr(tags, ?) > 0", (_joined((tag,)),)
                ).rowcount
        with self._lock:
            self._connection.execute("pragma wal_checkpoint(truncate)").fetchall()
        return removed

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def _turn(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection for one transaction, whichever thread it is in."""
        with self._lock, self._connection:
            yield self._connection


def _joined(tags: tuple[str, ...]) -> str:
    return "".join(f"\n{tag}\n" for tag in tags)


def open_file(path: Path, max_bytes: int) -> SqliteFile:
    """Open the file, which is made when it is not there.

    Raise `sqlite3.Error` or `OSError` when that fails; the database of another program is left as it is.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)
    try:
        if not _is_ours(connection):
            raise OSError(f"{path} is the database of another program")
        path.chmod(0o600)
        _prepare(connection, max_bytes)
    except (sqlite3.Error, OSError):
        connection.close()
        raise
    return SqliteFile(connection, path)


def _is_ours(connection: sqlite3.Connection) -> bool:
    """Return whether the file is empty, or was made here."""
    (application,) = connection.execute("pragma application_id").fetchone()
    (tables,) = connection.execute("select count(*) from sqlite_master").fetchone()
    return bool(tables == 0 or application == APPLICATION)


def _prepare(connection: sqlite3.Connection, max_bytes: int) -> None:
    pages = (2 * max_bytes + SPARE_BYTES) // PAGE_BYTES
    for pragma in (
        f"page_size = {PAGE_BYTES}",
        "journal_mode = wal",
        "synchronous = normal",
        "secure_delete = on",
        f"max_page_count = {pages}",
        f"journal_size_limit = {SPARE_BYTES}",
    ):
        connection.execute(f"pragma {pragma}").fetchall()
    if connection.execute("pragma quick_check(1)").fetchone()[0] != "ok":
        raise damaged()
    (version,) = connection.execute("pragma user_version").fetchone()
    with connection:
        if version != VERSION:
            connection.execute("drop table if exists entries")
        connection.execute(_SCHEMA)
        connection.execute(f"pragma user_version = {VERSION}")
        connection.execute(f"pragma application_id = {APPLICATION}")


def damaged() -> sqlite3.DatabaseError:
    """Return the error of a file whose pages do not fit together."""
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether the file is no good any more, and not merely out of reach."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DAMAGE


def move_aside(path: Path) -> Path:
    """Give a damaged file another name, in the place of one that was damaged before, and return it."""
    aside = path.with_name(f"{path.name}.damaged")
    for suffix in _BESIDE:
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).replace(aside.with_name(aside.name + suffix))
    return aside
