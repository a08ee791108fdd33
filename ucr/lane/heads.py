"""The heads of one connection, which most often say the same again.

How this works: a client that keeps its connection sends head after head, and only the length of the body differs. So
the last head is remembered in two pieces, what stands before the digits of its content-length and what follows them. One
that has both pieces at their places, and nothing but digits between them, is that head with another length: it is as
valid as the first one was, and is not read again. Any other difference, be it one byte, has it read as a new one.

What is remembered is bounded, belongs to this connection alone, and goes with it.
"""

import re

from ucr.badge import Badge
from ucr.lane.head import Head, HeadReader, read_head

REMEMBERED_BYTES = 4096
"""A larger head is read anew each time."""
_DIGITS = 15
_LENGTH_FIELD = re.compile(rb"\r\ncontent-length:[\t ]*([0-9]{1,15})[\t ]*\r\n", re.IGNORECASE)


Taken = tuple[Head, Badge, bytes, bytes | None]
"""A head, its badge, what came behind it, and the bytes of the head itself if it was not known before."""


class Heads:
    """Collects heads from the pieces in which they come, one after the other."""

    __slots__ = ("_after", "_badge", "_before", "_digits", "_head", "_last", "_reader", "_start")

    def __init__(self) -> None:
        self._reader: HeadReader | None = None
        self._before = self._digits = self._after = b""
        self._start = self._last = 0
        self._head: Head | None = None
        self._badge = Badge()

    def __repr__(self) -> str:
        return f"<Heads: {len(self._before) + len(self._after)} bytes remembered>"

    @property
    def has_begun(self) -> bool:
        """True while a head has begun and is not complete."""
        return self._reader is not None

    def feed(self, data: bytes) -> Taken | None:
        """Return the head that is complete with these bytes; None while it is not.

        Raises `HeadRefused` for what is no valid head, as soon as that is certain.
        """
        if self._reader is None:
            if self._head is not None and data.startswith(self._before):
                known = self._known(data, self._head)
                if known is not None:
                    return known
            self._reader = HeadReader()
        whole = self._reader.feed(data)
        if whole is None:
            return None
        self._reader = None
        raw, came = whole
        head = read_head(raw)
        self._remember(raw, head)
        return head, self._badge, came, raw

    def _known(self, data: bytes, head: Head) -> Taken | None:
        end = data.find(self._after, self._start, self._last)
        digits = data[self._start : end] if end > 0 else b""
        if not digits.isdigit():
            return None
        if digits != self._digits:
            head = head.with_length(digits)
        return head, self._badge, data[end + len(self._after) :], None

    def _remember(self, raw: bytes, head: Head) -> None:
        """Remember this head, where it is one that a connection may say again; forget the one before."""
        self._head, self._badge = None, Badge()
        self._before = self._digits = self._after = b""
        found = _LENGTH_FIELD.search(raw) if len(raw) <= REMEMBERED_BYTES else None
        if found is not None:
            start, end = found.span(1)
            self._head = head
            self._before, self._digits, self._after = raw[:start], raw[start:end], raw[end:]
            self._start, self._last = start, start + _DIGITS + len(self._after)
