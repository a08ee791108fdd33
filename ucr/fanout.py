"""One stream for several readers, each at its own pace, within a bound on what is kept for them. Pure.

How this works. What the stream gave is kept from its beginning, so that who comes late is given all of it. There is
one bound and not two: once something had to be dropped nobody can join any more, only what the slowest reader still
lacks is kept, and a reader that lacks what is dropped is cut off. Each fan-out may keep `MOST_BYTES`, and all of a
worker share a `Room`; one that finds it full keeps `LEAST_BYTES`, if it has readers, and else nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

MOST_BYTES = 2 * 1024 * 1024
LEAST_BYTES = 64 * 1024
ROOM_BYTES = 8 * 1024 * 1024
TAKE_BYTES = 64 * 1024
"""A reader takes about so much at a time, or one piece."""
PIECE_BYTES = 64
"""What a piece takes beside its bytes."""


@dataclass(slots=True)
class Room:
    """What all fan-outs of a worker keep together."""

    limit_bytes: int = ROOM_BYTES
    kept_bytes: int = 0


class Reader:
    """Whoever is given a stream. `is_cut` says that what it lacks is not there any more."""

    __slots__ = ("_fanout", "given_bytes", "is_cut", "next")

    def __init__(self, fanout: "Fanout", first: int, given_bytes: int) -> None:
        self._fanout = fanout
        self.next = first
        self.given_bytes = given_bytes
        self.is_cut = False

    def __repr__(self) -> str:
        return f"<Reader at {self.given_bytes} of {self._fanout.total_bytes} bytes>"

    def take(self) -> bytes:
        """Return what comes next, b"" when it has had everything."""
        return self._fanout.take(self)


class Fanout:
    """What a stream gave so far, and who reads it.

    `own_bytes` are kept for who may join: they count from the first piece on, as long as the stream `is_whole`;
    `on_partial` is told when it is no longer; who has told it all sets it to None.
    """

    __slots__ = (
        "_own_bytes",
        "_pieces",
        "_room",
        "first",
        "is_whole",
        "kept_bytes",
        "on_partial",
        "readers",
        "total_bytes",
    )

    def __init__(self, room: Room, own_bytes: int = 0, on_partial: Callable[[], None] | None = None) -> None:
        self._room = room
        self.on_partial = on_partial
        self._pieces: list[bytes] = []
        self._own_bytes = own_bytes
        self.first = 0
        self.is_whole = True
        self.kept_bytes = 0
        self.total_bytes = 0
        self.readers: set[Reader] = set()

    def __repr__(self) -> str:
        return f"<Fanout: {self.kept_bytes} of {self.total_bytes} bytes for {len(self.readers)} readers>"

    @property
    def ahead_bytes(self) -> int:
        """How much even the fastest reader has not taken yet."""
        return self.total_bytes - max((reader.given_bytes for reader in self.readers), default=self.total_bytes)

    def join(self, *, late: bool = True) -> Reader:
        """Read from the beginning, or, not `late`, from here on; only while the stream `is_whole`."""
        end = self.first + len(self._pieces)
        reader = Reader(self, 0, 0) if late else Reader(self, end, self.total_bytes)
        self.readers.add(reader)
        return reader

    def leave(self, reader: Reader) -> None:
        """Keep nothing for this reader any more."""
        self.readers.discard(reader)

    def add(self, data: bytes) -> None:
        """Take the next piece of the stream; cut off who is too far behind."""
        if not self.total_bytes and self.is_whole:
            self._count(self._own_bytes)
        self.total_bytes += len(data)
        if not self.is_whole and not self.readers:
            return
        room, size = self._room, len(data) + PIECE_BYTES
        self.kept_bytes += size
        room.kept_bytes += size
        self._pieces.append(data)
        if not self.is_whole or self.kept_bytes > MOST_BYTES or room.kept_bytes > room.limit_bytes:
            self._shrink()

    def take(self, reader: Reader) -> bytes:
        """Return what comes next for a reader."""
        if reader not in self.readers:
            return b""
        begin = end = reader.next - self.first
        size = 0
        while end < len(self._pieces) and (end == begin or size + len(self._pieces[end]) <= TAKE_BYTES):
            size += len(self._pieces[end])
            end += 1
        taken = self._pieces[begin:end]
        reader.next += len(taken)
        reader.given_bytes += size
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def close(self) -> None:
        """Keep nothing any more; who still reads is cut off, unless it has had everything."""
        end = self.first + len(self._pieces)
        for reader in self.readers:
            reader.is_cut = reader.next < end
        self.readers.clear()
        self.is_whole = False
        self._room.kept_bytes -= self.kept_bytes
        self.kept_bytes, self.first = 0, end
        self._pieces.clear()

    def _count(self, more_bytes: int) -> None:
        self.kept_bytes += more_bytes
        self._room.kept_bytes += more_bytes

    def _shrink(self) -> None:
        """Drop what everybody has had, and what there is no room for."""
        if self.is_whole:
            self.is_whole = False
            if self.total_bytes:
                self._count(-self._own_bytes)
            if self.on_partial is not None:
                self.on_partial()
        self._drop(min((reader.next for reader in self.readers), default=self.first + len(self._pieces)))
        kept, allowed = self.first, self._allowed_bytes()
        size = self.kept_bytes
        while size > allowed and kept < self.first + len(self._pieces) - 1:
            size -= len(self._pieces[kept - self.first]) + PIECE_BYTES
            kept += 1
        for reader in [reader for reader in self.readers if reader.next < kept]:
            reader.is_cut = True
            self.readers.discard(reader)
        self._drop(kept if self.readers else self.first + len(self._pieces))

    def _allowed_bytes(self) -> int:
        others_bytes = self._room.kept_bytes - self.kept_bytes
        return min(MOST_BYTES, max(LEAST_BYTES, self._room.limit_bytes - others_bytes))

    def _drop(self, before: int) -> None:
        gone = self._pieces[: before - self.first]
        self._count(-sum(len(piece) + PIECE_BYTES for piece in gone))
        del self._pieces[: before - self.first]
        self.first = max(self.first, before)
