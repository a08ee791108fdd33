"""The actor that keeps the journal: in the store process where there are several workers, else in the worker."""

import math
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, assert_never

from actors import Reply, Supervisor
from ucr.config.model import Journal as JournalConfig
from ucr.journal.entry import Entry, JournalMessage, Noted, size_of
from ucr.journal.file import NAME, JournalFile
from ucr.kept_file import Bounds
from ucr.logs import Log
from ucr.usage import Received
from ucr.views import JOURNAL
from ucr.written_behind import Beside, WrittenBehind, in_thread

DAY_S = 86_400.0
MAX_WAITING_BYTES = 16 * 1024 * 1024
"""What may wait to be written; the oldest has to go where there is no room."""


class Keeper(Protocol):
    """What is written to. `write` blocks, and raises `sqlite3.Error` or `OSError`; True: what was there is lost."""

    def write(self, entries: Sequence[Entry], now_s: float) -> bool: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class JournalSpec:
    """`folder` None keeps nothing."""

    folder: str | None = None
    keep_s: float = math.inf
    max_bytes: int = 2**40


def spec_of(config: JournalConfig, folder: str | None) -> JournalSpec:
    """Return what a journal in this folder is told under this configuration."""
    return JournalSpec(folder if config.enabled else None, config.keep_days * DAY_S, config.max_bytes)


@dataclass(frozen=True, slots=True)
class JournalStatistics:
    waiting: int
    waiting_bytes: int
    written: int
    dropped: int
    failed: int


class Journal(WrittenBehind[JournalMessage, tuple[Entry, ...]]):
    """The child: what waits to be written outlives a crash of the actor."""

    topic = "journal"

    def __init__(
        self,
        keeper: Keeper | None,
        unix_time: Callable[[], float],
        log: Log,
        *,
        name: str = JOURNAL,
        beside: Beside = in_thread,
    ) -> None:
        is_kept = keeper is not None
        super().__init__(name, lambda: JournalActor(self), unix_time, log, is_kept=is_kept, beside=beside)
        self._keeper = keeper
        self._waiting: deque[Entry] = deque()
        self._waiting_bytes = self._written = self._dropped = 0

    def statistics(self) -> JournalStatistics:
        return JournalStatistics(
            len(self._waiting), self._waiting_bytes, self._written, self._dropped, self.failed
        )

    def note(self, entries: Sequence[Entry]) -> None:
        """Keep entries until they are written."""
        if not self.is_kept:
            return
        self._waiting.extend(entries)
        self._waiting_bytes += size_of(entries)
        while self._waiting_bytes > MAX_WAITING_BYTES:
            self._waiting_bytes -= self._waiting.popleft().size_bytes
            self._dropped += 1

    def taken(self) -> tuple[Entry, ...] | None:
        """Take what is new."""
        batch = tuple(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        return batch or None

    def write(self, batch: tuple[Entry, ...], now_s: float) -> bool:
        """Write it into the file."""
        return self._keeper is not None and self._keeper.write(batch, now_s)

    def put_back(self, batch: tuple[Entry, ...]) -> None:
        """Keep it for the next time, before what came later."""
        later = self.taken() or ()
        self.note((*batch, *later))

    def kept(self, batch: tuple[Entry, ...], *, was_lost: bool) -> None:
        """Note that it is written."""
        self._written += len(batch)

    def close_file(self) -> None:
        """Let go of the file."""
        if self._keeper is not None:
            self._keeper.close()


class JournalActor:
    """One incarnation; it holds nothing itself."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def receive(self, message: JournalMessage, reply: Reply[Any]) -> None:
        match message:
            case Noted(entries=entries):
                self._journal.note(entries)
            case Received():
                reply.answer(None)
            case other:
                assert_never(other)


async def start_journal(
    supervisor: Supervisor, spec: JournalSpec, unix_time: Callable[[], float], log: Log
) -> Journal:
    """Start the journal. A file that cannot be opened is told of, and tried again when there is something to write."""
    if spec.folder is None:
        return await supervisor.start(Journal(None, unix_time, log))
    file = JournalFile(Path(spec.folder, NAME), Bounds(spec.keep_s, spec.max_bytes))
    journal = Journal(file, unix_time, log)
    try:
        file.open()
    except (sqlite3.Error, OSError) as error:
        journal.note_failure(error)
    return await supervisor.start(journal)
