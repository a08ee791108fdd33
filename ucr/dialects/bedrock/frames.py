"""Amazon's event streams (`application/vnd.amazon.eventstream`), cut into messages without I/O.

A message is its length and that of its headers, the CRC of these eight bytes, the headers, the payload, and the CRC
of all that. Both sums are checked: a length is believed only when the first is right, and nothing is read of a
message whose second is wrong. All numbers are big-endian. Source: Amazon's specification of the event stream encoding.
"""

import struct
import zlib
from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

FRAME_LIMIT_BYTES = 4 * 1024 * 1024
"""No event of a language model comes near it; the specification allows four times as much."""

HEADERS_LIMIT_BYTES = 128 * 1024
"""The specification's own limit."""

MEDIA_TYPE = "application/vnd.amazon.eventstream"

KNOWN_HEADERS = 16
"""A stream has a handful of different headers; so many are read once."""

_PRELUDE = struct.Struct(">III")
_PRELUDE_BYTES = _PRELUDE.size
_SUM_BYTES = 4
_TEXT = 7
_SIZES: Mapping[int, int] = MappingProxyType({0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16})
_LONG = (6, 7)


class FrameError(ValueError):
    """The stream holds a message that is too large, damaged, or cut off."""


class Frame(Struct, frozen=True):
    """One message: its headers that are text, and its payload."""

    headers: dict[str, str]
    payload: bytes

    @property
    def event(self) -> str:
        """What kind of event it is; "" for what is none."""
        return self.headers.get(":event-type", "")

    @property
    def exception(self) -> str:
        """Which exception it tells of; "" for what tells of none."""
        if self.headers.get(":message-type", "event") == "event":
            return ""
        return self.headers.get(":exception-type") or self.headers.get(":error-code") or "unknown"


class FrameReader:
    """Cuts bytes into messages: `feed` returns every one that became complete."""

    def __init__(self, limit_bytes: int = FRAME_LIMIT_BYTES) -> None:
        self._buffer = bytearray()
        self._limit_bytes = limit_bytes
        self._known: dict[bytes, dict[str, str]] = {}
        self._failure: str | None = None

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes; return the messages completed by them.

        Raise `FrameError` for one that cannot be read: at once, or at the next call where whole messages stood
        before it, so that none of those is lost.
        """
        if self._failure is not None:
            raise FrameError(self._failure)
        self._buffer += data
        frames: list[Frame] = []
        start = 0
        try:
            while end := self._end(start):
                frames.append(self._read(bytes(self._buffer[start:end])))
                start = end
        except FrameError as error:
            self._failure = str(error)
            start = len(self._buffer)
        del self._buffer[:start]
        if self._failure is not None and not frames:
            raise FrameError(self._failure)
        return frames

    def close(self) -> None:
        """Say that the bytes are at their end; raise `FrameError` if they end within a message."""
        if self._failure is not None:
            raise FrameError(self._failure)
        if self._buffer:
            raise FrameError("the last message is cut off")

    def _end(self, start: int) -> int:
        """Return where the message that begins there ends; 0 as long as it is not whole."""
        if len(self._buffer) - start < _PRELUDE_BYTES:
            return 0
        total, headers, check = _PRELUDE.unpack_from(self._buffer, start)
        if zlib.crc32(self._buffer[start : start + 8]) != check:
            raise FrameError("the check sum of a message's length is wrong")
        if total > self._limit_bytes:
            raise FrameError(f"a message is larger than {self._limit_bytes} bytes")
        if headers > HEADERS_LIMIT_BYTES:
            raise FrameError(f"the headers of a message are larger than {HEADERS_LIMIT_BYTES} bytes")
        if total < _PRELUDE_BYTES + headers + _SUM_BYTES:
            raise FrameError("a message is shorter than its parts")
        end: int = start + total
        return end if end <= len(self._buffer) else 0

    def _read(self, frame: bytes) -> Frame:
        body = frame[:-_SUM_BYTES]
        if zlib.crc32(body) != _number(frame[-_SUM_BYTES:]):
            raise FrameError("the check sum of a message is wrong")
        start = _PRELUDE_BYTES + _number(frame[4:8])
        block = frame[_PRELUDE_BYTES:start]
        headers = self._known.get(block)
        if headers is None:
            headers = _headers(block)
            if len(self._known) < KNOWN_HEADERS:
                self._known[block] = headers
        return Frame(headers, body[start:])


def _headers(block: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    place = 0
    while place < len(block):
        name, place = _cut(block, place + 1, block[place])
        kind, place = _cut(block, place, 1)
        if kind[0] in _LONG:
            size, place = _cut(block, place, 2)
            value, place = _cut(block, place, _number(size))
        elif kind[0] in _SIZES:
            value, place = _cut(block, place, _SIZES[kind[0]])
        else:
            raise FrameError("a header of a message has no known type")
        if kind[0] == _TEXT:
            headers[name.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
    return headers


def _cut(block: bytes, start: int, size: int) -> tuple[bytes, int]:
    end = start + size
    if end > len(block):
        raise FrameError("a header of a message is cut off")
    return block[start:end], end


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")
