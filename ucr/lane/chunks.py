"""A body in chunks, read strictly, from whatever pieces it comes in.

How this works: llhttp would swallow what follows the body without saying where it began, so the chunks are
read here, byte by byte accounted for. What a size says is what is taken; a size that is not plain hexadecimal,
a line end that is not CR LF, or an endless line is no chunk. Trailers are read and dropped (RFC 9112, 7.1).
"""

import re
from collections.abc import Callable

_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?")
_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*")
_LINE_BYTES = 1024
_TRAILER_BYTES = 8192


class ChunksBroken(Exception):
    """The bytes are no body in chunks."""


_Reads = Callable[["ChunkReader", bytes], None]


class ChunkReader:
    """Takes bytes until the body is complete; `rest` is then what follows it."""

    __slots__ = ("_line", "_reads", "_remaining", "_trailer_bytes", "is_complete", "rest")

    def __init__(self) -> None:
        self._line = b""
        self._reads: _Reads = ChunkReader._read_size
        self._remaining = 0
        self._trailer_bytes = 0
        self.is_complete = False
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """Return the body's bytes among these; raise `ChunksBroken`."""
        parts: list[bytes] = []
        at = 0
        while at < len(data) and not self.is_complete:
            if self._remaining:
                part = data[at : at + self._remaining]
                self._remaining -= len(part)
                at += len(part)
                parts.append(part)
            else:
                at = self._take_line(data, at)
        self.rest = data[at:]
        return b"".join(parts)

    def _take_line(self, data: bytes, at: int) -> int:
        """Take a line, or its beginning; return where the rest begins."""
        end = data.find(b"\n", at) + 1
        self._line += data[at : end or len(data)]
        if len(self._line) > _LINE_BYTES:
            raise ChunksBroken("a line of the chunked body is too long")
        if not end:
            return len(data)
        line, self._line = self._line, b""
        if not line.endswith(b"\r\n"):
            raise ChunksBroken("a line of the chunked body does not end in CR LF")
        self._reads(self, line[:-2])
        return end

    def _read_size(self, line: bytes) -> None:
        match = _LINE.fullmatch(line)
        if match is None:
            raise ChunksBroken("a chunk has no valid size")
        self._remaining = int(match[1], 16)
        self._reads = ChunkReader._read_end if self._remaining else ChunkReader._read_trailer

    def _read_end(self, line: bytes) -> None:
        if line:
            raise ChunksBroken("a chunk is longer than its size")
        self._reads = ChunkReader._read_size

    def _read_trailer(self, line: bytes) -> None:
        self._trailer_bytes += len(line)
        if not line:
            self.is_complete = True
        elif self._trailer_bytes > _TRAILER_BYTES or _TRAILER.fullmatch(line) is None:
            raise ChunksBroken("the trailer of the chunked body is not valid")
