"""The body of one request, taken from what arrives behind its head."""

from io import BytesIO

from ucr.errors import ApiError
from ucr.lane.chunks import ChunkReader, ChunksBroken

LONG_BYTES = 1024 * 1024
"""A body from here on grows in one buffer: to join its parts at the end would stop the loop, for 30 ms at 30 MB."""


class Intake:
    """Takes the body's own bytes and no others; `rest` is what follows it, once it is complete."""

    __slots__ = ("_chunks", "_long", "_missing", "_parts", "is_complete", "rest", "size")

    def __init__(self, length: int | None) -> None:
        self._chunks = ChunkReader() if length is None else None
        self._missing = length or 0
        self._parts: list[bytes] = []
        self._long: BytesIO | None = None
        self.size = 0
        self.is_complete = length == 0
        self.rest = b""

    def feed(self, data: bytes) -> None:
        """Take what arrived; raise `ApiError` 400 when it is no body."""
        if self.is_complete:
            self.rest += data
        elif self._chunks is not None:
            self._feed_chunks(data, self._chunks)
        else:
            self._add(data if len(data) <= self._missing else data[: self._missing])
            self.rest = data[self._missing :]
            self._missing = max(0, self._missing - len(data))
            self.is_complete = not self._missing

    def _feed_chunks(self, data: bytes, chunks: ChunkReader) -> None:
        try:
            self._add(chunks.feed(data))
        except ChunksBroken as error:
            raise ApiError("invalid_request_error", str(error)) from None
        self.is_complete, self.rest = chunks.is_complete, chunks.rest

    def _add(self, part: bytes) -> None:
        if not part:
            return
        self.size += len(part)
        if self._long is not None:
            self._long.write(part)
        else:
            self._parts.append(part)
            if self.size > LONG_BYTES:
                self._long = BytesIO()
                self._long.writelines(self._parts)
                self._parts.clear()

    def take(self) -> bytes:
        """Return the body so far, and forget it."""
        if self._long is not None:
            body, self._long = self._long.getvalue(), None
            return body
        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        return body
