"""Server-sent events, decoded and encoded without I/O.

How this works: a `Splitter` cuts the byte stream at blank lines into blocks, of which each is one event with
its bytes untouched (a pass-through needs them), and `parse` reads one block. Lines end at CR, LF and CRLF and
nowhere else: `str.splitlines` would also cut at U+2028 and U+0085, which are data. A block may be cut between
the CR and the LF of its last line ending, when the LF is in a later read; the LF then opens the next block,
where it is an empty line and means nothing.

Nearly all streams have but one shape of block: LF alone, and each block one line of data, or a name and one
line of data. `data_lines` and `named_lines` take a whole read of such blocks apart in a few passes of C over
its bytes, where `feed` and `parse` need a dozen calls for each block. They take nothing of a read that is
otherwise, so that `feed` can have it.
Source: WHATWG HTML, "Server-sent events", section 9.2.6.
"""

import re

from msgspec import Struct

from ucr.jsontext import is_utf_8

EVENT_LIMIT_BYTES = 4 * 1024 * 1024

_TAIL_BYTES = 64 * 1024
"""How much of a block that is not whole is put before the next read: more would be copied too often."""

_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r)(?:\r\n|\n|\r)")
_LINE_END = re.compile(rb"\r\n|\n|\r")
_USUAL = re.compile(rb"(?:event: ([^\r\n]+)\n)?data: ([^\r\n]*)\n\n")
_BOM = b"\xef\xbb\xbf"


class SseError(ValueError):
    """The stream holds an event that is larger than the limit or is not UTF-8."""


class SseEvent(Struct, frozen=True, gc=False):
    """One event: its `event` field (None when there was none) and its `data` lines joined by LF."""

    name: str | None
    data: str


class Splitter:
    """Cuts bytes into event blocks: `feed` returns every block that became complete, with its blank line.

    The blocks and what `close` returns are, joined, the bytes that were fed (but for a byte order mark).
    """

    def __init__(self, limit_bytes: int = EVENT_LIMIT_BYTES) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._limit_bytes = limit_bytes
        self._begun = False
        self._has_cr = False
        self._is_broken = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; return the blocks completed by them.

        Raise `SseError` when a block grows past the limit: at once, or at the next call where whole blocks
        stood before it, so that none of those is lost.
        """
        is_named = (self._buffer or data).startswith(b"e")
        if is_named and (pairs := self.named_lines(data)) is not None:
            return [b"%b\n%b\n\n" % pair for pair in pairs]
        if not is_named and (values := self.data_lines(data)) is not None:
            return [b"data: " + value + b"\n\n" for value in values]
        return self._feed(data)

    def _feed(self, data: bytes) -> list[bytes]:
        self._buffer += data
        self._has_cr = self._has_cr or b"\r" in data
        if not self._begun:
            if len(self._buffer) < len(_BOM) and _BOM.startswith(self._buffer):
                return []
            self._begun = True
            if self._buffer.startswith(_BOM):
                del self._buffer[: len(_BOM)]
        blocks = self._cut()
        if self._is_broken and not blocks:
            self._refuse()
        return blocks

    def data_lines(self, data: bytes) -> list[bytes] | None:
        """Take bytes; return the data of the blocks completed by them, if each of those is one line of data.

        None, with nothing taken, for all other bytes. Each of what is returned is UTF-8 and is, between
        `data: ` and a blank line, what `feed` returns.
        """
        read, end = self._whole_blocks(data, b"data: ")
        values = read[6 : end - 2].split(b"\n\ndata: ")
        if not end or b"\n" in b"".join(values):
            return None
        self._leave(read[end:])
        return values

    def named_lines(self, data: bytes) -> list[tuple[bytes, bytes]] | None:
        """Take bytes; return both lines of the blocks completed by them, if each of those is two lines.

        None, with nothing taken, for all other bytes, and for those that do not begin with a name. Each pair is
        UTF-8 and is, with an LF after each line and a blank line, what `feed` returns.
        """
        read, end = self._whole_blocks(data, b"event: ")
        lines = read[: end - 1].split(b"\n")
        firsts, seconds, blanks = lines[::3], lines[1::3], lines[2::3]
        if not end or any(blanks) or not all(firsts) or not all(seconds) or len(lines) % 3:
            return None
        self._leave(read[end:])
        return list(zip(firsts, seconds, strict=True))

    def _whole_blocks(self, data: bytes, lead: bytes) -> tuple[bytes, int]:
        """Return the bytes read and how many of them are whole blocks; 0 unless a quick way may take them."""
        if self._has_cr or self._is_broken or len(self._buffer) > _TAIL_BYTES:
            return b"", 0
        read = bytes(self._buffer) + data if self._buffer else data
        end = read.rfind(b"\n\n") + 2
        is_quick = end > len(lead) and read.startswith(lead) and len(read) <= self._limit_bytes
        if not is_quick or b"\r" in read or not (read.isascii() or is_utf_8(read[:end])):
            return b"", 0
        return read, end

    def _leave(self, rest: bytes) -> None:
        self._begun = True
        self._scanned = 0
        if rest or self._buffer:
            self._buffer[:] = rest

    def _cut(self) -> list[bytes]:
        buffer, blocks, start, scan = self._buffer, list[bytes](), 0, self._scanned
        while not self._is_broken and (end := self._blank_line_end(scan)) >= 0:
            scan = end
            if scan - start > self._limit_bytes:
                self._is_broken = True
            else:
                blocks.append(bytes(buffer[start:scan]))
                start = scan
        del buffer[:start]
        self._scanned = max(0, len(buffer) - 3)
        if len(buffer) > self._limit_bytes:
            self._is_broken = True
        if self._is_broken:
            del buffer[:]
        return blocks

    def _blank_line_end(self, scan: int) -> int:
        """Find the end of the next blank line, or -1; without CRs a plain search is several times faster."""
        if not self._has_cr:
            place = self._buffer.find(b"\n\n", scan)
            return place if place < 0 else place + 2
        match = _BLANK_LINE.search(self._buffer, scan)
        return -1 if match is None else match.end()

    def _refuse(self) -> None:
        raise SseError(f"an event is larger than {self._limit_bytes} bytes")

    def close(self) -> bytes:
        """Return what is left: an event whose blank line never came, or nothing."""
        if self._is_broken:
            self._refuse()
        rest, self._buffer = bytes(self._buffer), bytearray()
        return rest

    def lets_by(self, data: bytes) -> bool:
        """Return whether bytes are whole blocks with lines that end in LF, and follow such blocks.

        They need not be fed then: their blocks end where a blank line is.
        """
        is_clear = not (self._buffer or self._has_cr or self._is_broken) and data[-2:] == b"\n\n"
        if not is_clear or len(data) > self._limit_bytes or b"\r" in data or data[:1] == _BOM[:1]:
            return False
        self._begun = True
        return True

    @property
    def is_at_boundary(self) -> bool:
        """True when no event is half read."""
        return not self._buffer.strip(b"\r\n")


def parse(block: bytes) -> SseEvent | None:
    """Read one block; None when it has no data (comments, or fields that are not for us)."""
    usual = _USUAL.fullmatch(block)
    if usual is not None:
        return _event(usual[1], usual[2])
    name: bytes | None = None
    data: list[bytes] = []
    for line in _LINE_END.split(block):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    return _event(name, b"\n".join(data)) if data else None


def _event(name: bytes | None, data: bytes) -> SseEvent:
    try:
        return SseEvent(name.decode("utf-8", "replace") if name else None, data.decode())
    except UnicodeDecodeError:
        raise SseError("an event is not UTF-8") from None


def _named(first: bytes, second: bytes) -> SseEvent | None:
    """Read a block of two lines, which are UTF-8, as `parse` does; nearly all are a name and data."""
    if first[:7] == b"event: " and second[:6] == b"data: ":
        return SseEvent(first[7:].decode() or None, second[6:].decode())
    return parse(b"%b\n%b\n\n" % (first, second))


class Decoder:
    """`feed` bytes, get events; comments and empty blocks give none."""

    def __init__(self, limit_bytes: int = EVENT_LIMIT_BYTES) -> None:
        self._splitter = Splitter(limit_bytes)
        self._failure: str | None = None

    def feed(self, data: bytes) -> list[SseEvent]:
        """Return the events completed by these bytes; raise `SseError` as the splitter and `parse` do.

        Events that stood before the failure are returned first; the next call then raises it.
        """
        if self._failure is not None:
            raise SseError(self._failure)
        pairs = self._splitter.named_lines(data)
        if pairs is not None:
            return [event for first, second in pairs if (event := _named(first, second)) is not None]
        events: list[SseEvent] = []
        try:
            events.extend(event for block in self._splitter.feed(data) if (event := parse(block)) is not None)
        except SseError as error:
            self._failure = str(error)
            if not events:
                raise
        return events

    def close(self) -> list[SseEvent]:
        """Return the last event when its blank line is missing."""
        if self._failure is not None:
            raise SseError(self._failure)
        event = parse(self._splitter.close())
        return [] if event is None else [event]


def encode(data: bytes, name: str | None = None) -> bytes:
    """Write one event; `data` holds no line ending, as compact JSON does not."""
    if name is None:
        return b"data: " + data + b"\n\n"
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


def comment(text: str) -> bytes:
    """Write a comment, which keeps a connection alive and which clients ignore."""
    return b": " + text.encode() + b"\n\n"
