"""What commands read from the file of the journal, while a router may write to it."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ucr.journal.entry import Entry
from ucr.journal.file import COLUMNS
from ucr.journal.history import History, history
from ucr.jsontext import JsonObject

_ERROR = "is_error <> 0"
_BODIES = ("request", "answer")
"""The last of the columns."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are wanted; None is "any". `since_s` is a Unix time."""

    provider: str | None = None
    model: str | None = None
    session: str | None = None
    errors: bool = False
    since_s: float = 0.0

    def condition(self) -> tuple[str, tuple[object, ...]]:
        """Return the condition in SQL, and its values."""
        told = (
            ("provider = ?", self.provider),
            (
                "? in (json_extract(account, '$.model_asked'), json_extract(account, '$.model_used'))",
                self.model,
            ),
            ("json_extract(account, '$.session_id') = ?", self.session),
        )
        found = [(words, value) for words, value in told if value is not None]
        words = ["at_s >= ?", *(words for words, _ in found), *([_ERROR] if self.errors else [])]
        return " and ".join(words), (self.since_s, *(value for _, value in found))


@dataclass(frozen=True, slots=True)
class Found:
    """An entry and its number, which grows."""

    number: int
    entry: Entry

    @property
    def account(self) -> JsonObject:
        """The account as plain data."""
        account: JsonObject = json.loads(self.entry.account)
        return account


class Reader:
    """Reads a file; every method raises `sqlite3.Error` when it is not there or cannot be read.

    Without `bodies` the bodies of entries stay in the file, and are None.
    """

    def __init__(self, path: Path, *, bodies: bool = True) -> None:
        self._path = path
        self._columns = COLUMNS if bodies else (*COLUMNS[: -len(_BODIES)], *("null" for _ in _BODIES))

    def __repr__(self) -> str:
        return f"<Reader of {self._path}>"

    def __str__(self) -> str:
        return str(self._path)

    def latest(self, wanted: Wanted, count: int) -> list[Found]:
        """Return the last entries that are wanted, the oldest of them first."""
        condition, values = wanted.condition()
        return self._found(f"where {condition} order by rowid desc limit ?", (*values, count))[::-1]

    def after(self, number: int, wanted: Wanted) -> list[Found]:
        """Return all entries with a higher number that are wanted."""
        condition, values = wanted.condition()
        return self._found(f"where rowid > ? and {condition} order by rowid", (number, *values))

    def last_number(self) -> int:
        """Return the highest number that there is."""
        with closing(self._opened()) as connection:
            (number,) = connection.execute("select coalesce(max(rowid), 0) from journal").fetchone()
        return int(number)

    def one(self, request_id: str) -> Found | None:
        """Return the entry of a request, the last one where clients made up the same id."""
        found = self._found("where request_id = ? order by rowid desc limit 1", (request_id,))
        return found[0] if found else None

    def history(self, until_s: float, width_s: float, number: int) -> History:
        """Return what the last spans came to: so many of `width_s`, the last of which ends at a Unix time."""
        with closing(self._opened()) as connection:
            return history(connection, until_s, width_s, number)

    def _found(self, rest: str, values: Sequence[object]) -> list[Found]:
        question = f"select rowid, {', '.join(self._columns)} from journal {rest}"
        with closing(self._opened()) as connection:
            return [_found(row) for row in connection.execute(question, values)]

    def _opened(self) -> sqlite3.Connection:
        return sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)


def _found(row: tuple[Any, ...]) -> Found:
    number, at_s, request_id, provider, status, is_error, account, request, answer = row
    return Found(number, Entry(at_s, request_id, provider, status, bool(is_error), account, request, answer))
