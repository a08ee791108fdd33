"""An answer as bytes: a head, parts and an end, framed by a length, by chunks or by the connection's end.

How this works: answers have few sets of header names, and many values. So what is the same for all heads with the same
names, the checked names and where the length stands, is made once as a form, and a head is a form that is filled in.
"""

import re
from http import HTTPStatus
from types import MappingProxyType

from msgspec import Struct

from ucr.dialects.roles import HeaderList
from ucr.fields import one_line

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PHRASES = MappingProxyType(dict.fromkeys(range(1000), "") | {one.value: one.phrase for one in HTTPStatus})

_MOST_FORMS = 64
_FORM_CHARS = 2048
"""A longer form is made anew each time, and of so many forms the next one makes the others forgotten."""


class Form:
    """The head of an answer with these fields, without their values."""

    __slots__ = ("length_at", "says_connection", "text")

    def __init__(self, names: tuple[str, ...]) -> None:
        if not all(map(_NAME.fullmatch, names)):
            raise ValueError("an answer has a header whose name is not valid")
        fields = "".join(f"{name.replace('%', '%%')}: %s\r\n" for name in names)
        self.text = f"HTTP/1.1 %s %s\r\n{fields}date: %s\r\n"
        self.length_at = names.index("content-length") if "content-length" in names else None
        self.says_connection = "connection" in names


class Forms:
    """The forms of a lane, each made when its names come for the first time."""

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: dict[tuple[str, ...], Form] = {}

    def make(self, names: tuple[str, ...]) -> Form:
        """Return the form of a head with these names, `known` from now on; raise `ValueError` for a name that is none."""
        form = Form(names)
        if len(form.text) <= _FORM_CHARS:
            if len(self.known) >= _MOST_FORMS:
                self.known.clear()
            self.known[names] = form
        return form


class Reply(Struct, eq=False, gc=False):
    """Frames one answer. `keeps_alive` says whether another may follow it on this connection; `has_body` that it is none
    to HEAD, `is_chunked` that its end is told by chunks, and `remaining` how much is to come of one whose length is told.
    """

    forms: Forms
    has_body: bool
    is_http_1_0: bool
    keeps_alive: bool
    is_chunked: bool = False
    remaining: int | None = None

    def head(self, status: int, headers: HeaderList, date: str) -> bytes:
        """Return the head. Values become one line each; a name that is none raises `ValueError`."""
        names, values = zip(*headers, strict=True) if headers else ((), ())
        try:
            form = self.forms.known[names]
        except KeyError:
            form = self.forms.make(names)
        text = "".join(values)
        if not (text.isascii() and text.isprintable()):
            values = tuple(map(one_line, values))
        if form.length_at is not None:
            self.remaining = int(values[form.length_at])
        elif self.is_http_1_0:
            self.keeps_alive = False
        else:
            self.is_chunked = True
        if form.says_connection and dict(headers)["connection"] == "close":
            self.keeps_alive = False
        end = "transfer-encoding: chunked\r\n" if self.is_chunked else ""
        if not (self.keeps_alive or form.says_connection):
            end += "connection: close\r\n"
        head = form.text % (status, _PHRASES[status], *values, date)
        return f"{head}{end}\r\n".encode("latin-1")

    def part(self, data: bytes) -> bytes:
        """Return the bytes that carry a part of the body; `ValueError` for more than was announced."""
        if self.is_chunked and self.has_body:
            return b"%x\r\n%b\r\n" % (len(data), data)
        if self.remaining is not None:
            self.remaining -= len(data)
            if self.remaining < 0:
                raise ValueError("an answer is longer than it said")
        return data if self.has_body else b""

    def last(self, data: bytes) -> bytes:
        """Return the last part and the end, together what `part` and `end` would return."""
        if self.remaining == len(data) and self.has_body:
            return data  # of a length that was announced; so are whole answers
        return self.part(data) + self.end()

    def end(self) -> bytes:
        """Return what ends the answer; one that is shorter than it said ends with its connection."""
        if not self.has_body:
            return b""
        if self.remaining:
            self.keeps_alive = False
        return b"0\r\n\r\n" if self.is_chunked else b""
