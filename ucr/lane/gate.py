"""A strict reader before a lenient one: what the front lane would refuse does not reach hypercorn's parser.

How this works: the bytes of a connection are followed through heads and bodies by the same readers as in the front
lane, and passed on as they are. A head is passed on when it is complete and valid. With the first fault nothing
more passes, and `refused` says what to answer. So both lanes take and refuse the same bytes, and a request that
is hidden in another one for one parser is hidden for all.
"""

from ucr.lane.chunks import ChunkReader, ChunksBroken
from ucr.lane.head import HeadReader, HeadRefused, read_head

POISON = b"\x00\n\x00\r\n\r\n"
"""No beginning of a head, no end of a line of a chunked body that had begun: nothing in HTTP/1.1 goes on so."""


class Gate:
    """Follows the requests of one connection."""

    __slots__ = ("_chunks", "_head", "_missing", "refused")

    def __init__(self) -> None:
        self._head = HeadReader()
        self._chunks: ChunkReader | None = None
        self._missing = 0
        self.refused: HeadRefused | None = None

    @property
    def is_reading_head(self) -> bool:
        """True while a head has begun and is not yet complete."""
        return self._head.has_begun

    def feed(self, data: bytes) -> bytes:
        """Return what of the bytes so far may pass on now; nothing after a fault."""
        passed: list[bytes] = []
        try:
            while data and self.refused is None:
                part, data = self._step(data)
                passed.append(part)
        except HeadRefused as refused:
            self.refused = refused
        except ChunksBroken as broken:
            self.refused = HeadRefused(400, str(broken))
        return passed[0] if len(passed) == 1 else b"".join(passed)

    def _step(self, data: bytes) -> tuple[bytes, bytes]:
        """Return a part that may pass on, and the rest."""
        if self._chunks is not None:
            return self._chunked(data, self._chunks)
        if self._missing:
            part = data[: self._missing]
            self._missing -= len(part)
            return part, data[len(part) :]
        taken = self._head.feed(data)
        if taken is None:
            return b"", b""
        length = read_head(taken[0]).length
        self._head = HeadReader()
        self._missing = length or 0
        self._chunks = ChunkReader() if length is None else None
        return taken

    def _chunked(self, data: bytes, chunks: ChunkReader) -> tuple[bytes, bytes]:
        chunks.feed(data)
        if not chunks.is_complete:
            return data, b""
        self._chunks = None
        return data[: len(data) - len(chunks.rest)], chunks.rest
