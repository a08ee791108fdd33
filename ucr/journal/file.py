"""The file of the journal, a `KeptFile`. Everything here blocks."""

import sqlite3
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path

from ucr.journal.entry import Entry, size_of
from ucr.kept_file import Bounds, KeptFile, Plan, insert

NAME = "journal.sqlite3"

COLUMNS = ("at_s", "request_id", "provider", "status", "is_error", "account", "request", "answer")
_SCHEMA = (
    "create table journal (at_s real not null, request_id text not null, provider text not null, "
    "status integer not null, is_error integer not null, account text not null, request text, answer text)",
    "create index journal_at on journal (at_s)",
    "create index journal_id on journal (request_id)",
)
PLAN = Plan(1, "journal", _SCHEMA)
_VALUES = attrgetter(*(name if name != "is_error" else "is_error.real" for name in COLUMNS))
"""The values of an entry; 0 or 1 for what is true or not, since SQLite's module takes no truth as it is."""


class JournalFile:
    """A file that is opened at need. Every method raises `sqlite3.Error` or `OSError` when it cannot do what it is to."""

    def __init__(self, path: Path, bounds: Bounds) -> None:
        self._file = KeptFile(path, bounds, PLAN)

    def __repr__(self) -> str:
        return f"<JournalFile in {self._file!r}>"

    def open(self) -> None:
        """Open it now, and not when there is something to write."""
        self._file.open()

    def write(self, entries: Sequence[Entry], now_s: float) -> bool:
        """Keep all of them or none; True: the file was damaged, and what was in it before is lost."""

        def written(connection: sqlite3.Connection) -> None:
            insert(connection, PLAN.table, COLUMNS, entries, _VALUES)

        return self._file.write(written, now_s, size_of(entries))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
