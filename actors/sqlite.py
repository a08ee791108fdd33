"""A backing in a file: what a cache holds, kept across restarts of the process.

How this works. What is in the file is known by an index in memory, so that a key that is not there costs nothing; a
key that is there is read in a thread. What is put here waits a moment in memory, where it can be found, and is
written together with what came meanwhile by one task, in the same thread: there is never more than one. The file has
the bounds of the cache before it; what expires first makes room.

A file that is damaged is moved aside and another one begun. One that cannot be opened, written or read is tried again
after a while; until then nothing is found in it, and what was to be written is counted. No request sees any of this.
"""

import math
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, Protocol, TypeVar

import trio

from actors import sealing
from actors.backing import Backed
from actors.sqlite_file import Index, Row, SqliteFile, is_damage, move_aside, open_file
from actors.supervisor import Restart

Result = TypeVar("Result")

BEHIND_S = 0.5
RETRY_S = 30.0


class Runs(Protocol):
    """Something that runs what blocks, one after the other, and returns its result."""

    def __call__(self, work: Callable[[], Result]) -> Awaitable[Result]: ...


@dataclass(frozen=True, slots=True)
class SqliteSpec:
    """`secret` seals the entries. What is to be written takes `max_pending_bytes` of memory at most."""

    path: Path
    secret: bytes = field(repr=False)
    max_entries: int = 1000
    max_bytes: int = 50 * 1024 * 1024
    max_pending_bytes: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SqliteEvent:
    """The file was opened, moved aside because it is damaged, or is out of reach: `error` says why."""

    name: Literal["opened", "damaged", "failed"]
    error: str | None = None


@dataclass(slots=True)
class SqliteNumbers:
    """`unsealed` were not ours, `unstored` found no room or could not be written, `failed` counts errors."""

    entries: int = 0
    bytes: int = 0
    pending_bytes: int = 0
    hits: int = 0
    misses: int = 0
    unsealed: int = 0
    stored: int = 0
    unstored: int = 0
    evicted: int = 0
    failed: int = 0
    damaged: int = 0


class Thread:
    """Runs what blocks in a thread of its own, and never two things at once."""

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(1)

    async def __call__(self, work: Callable[[], Result]) -> Result:
        """Run it. Who is cancelled does not wait for it; the next one does."""
        return await trio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._limiter)


class _Opening:
    """Opens a file in a thread, and closes it again if nobody waits for it any more."""

    def __init__(self, spec: SqliteSpec) -> None:
        self._spec = spec
        self._lock = threading.Lock()
        self._file: SqliteFile | None = None
        self._is_abandoned = False

    def open(self) -> SqliteFile:
        """Return the file; raise `sqlite3.Error` or `OSError`."""
        file = open_file(self._spec.path, self._spec.max_bytes)
        with self._lock:
            self._file = file
            if self._is_abandoned:
                file.close()
        return file

    def abandon(self) -> None:
        """Let nothing stay open of what nobody waits for."""
        with self._lock:
            self._is_abandoned = True
            if self._file is not None:
                self._file.close()


def _unheard(_event: SqliteEvent) -> None:
    pass


class SqliteBacking:
    """A supervised child, and the `Backing` whose file it writes; `clock` is the one on the wall.

    `on_cleared` is there for whoever may have either backing: nobody else clears a file.
    """

    essential = False
    restart: Restart = "permanent"

    def __init__(
        self,
        spec: SqliteSpec,
        clock: Callable[[], float],
        name: str = "sqlite",
        *,
        thread: Runs | None = None,
        on_event: Callable[[SqliteEvent], None] = _unheard,
    ) -> None:
        self.name = name
        self.spec = spec
        self.on_cleared: Callable[[], None] = lambda: None
        self._clock = clock
        self._thread: Runs = Thread() if thread is None else thread
        self._on_event = on_event
        self._numbers = SqliteNumbers()
        self._file: SqliteFile | None = None
        self._index: Index = {}
        self._size_bytes = 0
        self._pending: dict[bytes, Row] = {}
        self._writing: dict[bytes, Row] = {}
        self._wake = trio.Event()
        self._has_failed = False

    def __repr__(self) -> str:
        return f"<SqliteBacking {self.spec.path}: {len(self._index)} entries>"

    def statistics(self) -> Mapping[str, int]:
        """Return the sizes of now and what was counted."""
        n = self._numbers
        n.entries, n.bytes, n.pending_bytes = len(self._index), self._size_bytes, self._pending_bytes()
        return asdict(n)

    def _pending_bytes(self) -> int:
        return sum(len(row.sealed) for row in (*self._pending.values(), *self._writing.values()))

    async def get(self, key: bytes) -> Backed | None:
        """Return what is under a key, in the file or on its way there."""
        row = self._pending.get(key) or self._writing.get(key)
        if row is not None:
            await trio.lowlevel.checkpoint()
            return self._opened(key, row.sealed if row.expires_s > self._clock() else None)
        if self._file is None or key not in self._index:
            await trio.lowlevel.checkpoint()
            return self._opened(key, None)
        return self._opened(key, await self._tried(partial(self._file.read, key, self._clock())))

    def _opened(self, key: bytes, sealed: bytes | None) -> Backed | None:
        if sealed is None:
            self._numbers.misses += 1
            return None
        opened = sealing.open_seal(self.spec.secret, key, sealed)
        if opened is None:
            self._numbers.unsealed += 1
            return None
        self._numbers.hits += 1
        return Backed(opened.entry, max(0.0, self._clock() - opened.at_s), opened.tags)

    async def put(self, key: bytes, entry: bytes, ttl_s: float, tags: tuple[str, ...]) -> None:
        """Keep an entry: it is written soon; or count that there is no room for it."""
        await trio.lowlevel.checkpoint()
        sealed = sealing.seal(self.spec.secret, key, entry, tags, self._clock())
        if (
            sealed is None
            or self._file is None
            or len(sealed) + self._pending_bytes() > min(self.spec.max_pending_bytes, self.spec.max_bytes)
        ):
            self._numbers.unstored += 1
            return
        self._pending.pop(key, None)
        if len(self._pending) >= self.spec.max_entries:
            del self._pending[next(iter(self._pending))]
            self._numbers.unstored += 1
        self._pending[key] = Row(key, sealed, self._clock() + ttl_s, tags)
        self._wake.set()

    async def clear(self, tag: str | None) -> int:
        """Forget the entries with a tag, or all; return how many it were."""
        waiting = _take(self._pending, tag)
        _take(self._writing, tag)
        removed = await self._tried(partial(self._file.clear, tag)) if self._file else None
        await self._look()
        return waiting + (removed or 0)

    async def run(self) -> None:
        """Open the file, and write behind what is put here."""
        while True:
            if self._file is None and not await self._open():
                await trio.sleep(RETRY_S)
                continue
            await self._wake.wait()
            await trio.sleep(BEHIND_S)
            await self._flush()

    async def _open(self) -> bool:
        """Open the file; when it is damaged, another one in its place."""
        for _ in range(2):
            opening = _Opening(self.spec)
            try:
                self._file = await self._thread(opening.open)
            except trio.Cancelled:
                opening.abandon()
                raise
            except sqlite3.Error as error:
                if not is_damage(error) or not await self._moved_aside(error):
                    self._failed(error)
                    return False
            except OSError as error:
                self._failed(error)
                return False
            else:
                self._has_failed = False
                await self._look()
                self._on_event(SqliteEvent("opened"))
                return self._file is not None
        return False

    async def _moved_aside(self, error: sqlite3.Error) -> bool:
        """Move the file aside; return whether that could be done."""
        self._numbers.damaged += 1
        file, self._file = self._file, None
        try:
            if file is not None:
                file.close()
            await self._thread(partial(move_aside, self.spec.path))
        except (sqlite3.Error, OSError):
            return False
        self._index, self._size_bytes = {}, 0
        self._on_event(SqliteEvent("damaged", str(error)))
        return True

    def _failed(self, error: sqlite3.Error | OSError) -> None:
        """Count an error; tell of the first one in a row."""
        self._numbers.failed += 1
        if not self._has_failed:
            self._has_failed = True
            self._on_event(SqliteEvent("failed", str(error)))

    async def _tried(self, work: Callable[[], Result]) -> Result | None:
        """Do something with the file; None when that fails."""
        try:
            return await self._thread(work)
        except sqlite3.Error as error:
            self._failed(error)
            if is_damage(error):
                await self._moved_aside(error)
                self._wake.set()
        return None

    async def _look(self) -> None:
        """Make the index anew."""
        if self._file is not None:
            index = await self._tried(partial(self._file.index, self._clock()))
            if index is not None:
                self._index = index
                self._size_bytes = sum(size for _, size in index.values())

    async def _flush(self) -> None:
        """Write what waits, and forget what has expired or must make room."""
        self._wake = trio.Event()
        self._writing, self._pending = self._pending, {}
        rows = tuple(self._writing.values())
        if self._file is not None and rows:
            gone = tuple(self._gone(rows))
            done = await self._tried(partial(_written, self._file, rows, gone))
            self._took(rows, gone, is_written=done is True)
        self._writing = {}

    def _gone(self, rows: tuple[Row, ...]) -> Iterator[bytes]:
        """Give the keys that must go for these rows: those that have expired, then those that expire first."""
        now_s = self._clock()
        replaced = {row.key for row in rows}
        kept = {key: known for key, known in self._index.items() if key not in replaced}
        entries = len(kept) + len(rows)
        size = sum(known[1] for known in kept.values()) + sum(len(row.sealed) for row in rows)
        for key, (expires_s, taken) in kept.items():
            if expires_s > now_s and entries <= self.spec.max_entries and size <= self.spec.max_bytes:
                break
            entries, size = entries - 1, size - taken
            yield key

    def _took(self, rows: tuple[Row, ...], gone: tuple[bytes, ...], *, is_written: bool) -> None:
        if not is_written:
            self._numbers.unstored += len(rows)
            return
        self._has_failed = False
        self._numbers.stored += len(rows)
        self._numbers.evicted += len(gone)
        for key in (*gone, *(row.key for row in rows)):
            _, taken = self._index.pop(key, (math.nan, 0))
            self._size_bytes -= taken
        for row in rows:
            self._index[row.key] = (row.expires_s, len(row.sealed))
            self._size_bytes += len(row.sealed)

    def crashed(self, error: BaseException | None) -> None:
        """Nothing to clear: file and index are the child's."""

    def gave_up(self) -> None:
        """What is in the file can still be read; nothing more is written."""

    async def drain(self) -> None:
        """Return at once: what waits is written when the child is closed."""

    async def aclose(self) -> None:
        """Write what still waits, and close the file."""
        try:
            await trio.lowlevel.checkpoint()
        finally:
            self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        rows = tuple({**self._writing, **self._pending}.values())
        self._writing, self._pending = {}, {}
        try:
            file.write(rows, tuple(self._gone(rows)))
        except sqlite3.Error as error:
            self._failed(error)
        finally:
            file.close()

    def inside(self) -> None:
        """Return nothing: `statistics` has the numbers."""


def _take(rows: dict[bytes, Row], tag: str | None) -> int:
    """Take out the rows that have a tag, or all; return how many it were."""
    taken = [key for key, row in rows.items() if tag is None or tag in row.tags]
    for key in taken:
        del rows[key]
    return len(taken)


def _written(file: SqliteFile, rows: tuple[Row, ...], gone: tuple[bytes, ...]) -> bool:
    file.write(rows, gone)
    return True
