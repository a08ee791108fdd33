"""The head of a request, read strictly: what two parsers could read in two ways is refused.

How this works: one regular expression describes a whole head, and a head that it does not match is no
HTTP/1.1. It knows no folded fields, no bare CR or LF, no control characters, no spaces round a field's name.
What remains are the rules about meaning: one valid Host, one framing, a version that is spoken. There is no
second parser behind this one, so nothing can be read differently later. What a head may look like is decided
by its bytes alone, never by the pieces in which they arrive (RFC 9112, sections 2 to 6 and 11.2).
"""

import re
from typing import NamedTuple

from ucr.errors import ErrorType
from ucr.fields import FIELDS_LIMIT, HEAD_LIMIT_BYTES, joined
from ucr.jsontext import dumps

_END = b"\r\n\r\n"
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_METHOD_BYTES = 32
"""A method is shorter than this; what begins otherwise, such as TLS, is refused at once."""
_METHOD = _TOKEN[:-1] + b"{1,%d}" % (_METHOD_BYTES - 1)
_HEAD = re.compile(
    rb"(" + _METHOD + rb") ([\x21-\x7e]+) HTTP/([0-9]\.[0-9])\r\n"
    rb"((?:" + _TOKEN + rb":[\t\x20-\x7e\x80-\xff]*\r\n)*)\r\n"
)
_BEGINNING = re.compile(_METHOD + rb"(?: |\Z)")
_BARE_LF = re.compile(rb"(?<!\r)\n")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(?::[0-9]{1,5})?")
_LENGTH = re.compile(r"[0-9]{1,15}")


class HeadRefused(Exception):
    """A head that is answered with `status` and nothing else."""

    def __init__(self, status: int, message: str, type_: ErrorType = "invalid_request_error") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type: ErrorType = type_

    @property
    def body(self) -> bytes:
        """What is said before the API sees a request, in a shape that clients of every dialect can read."""
        return dumps({"type": "error", "error": {"type": self.type, "message": self.message}})


class Head(NamedTuple):
    """A request's head. `length` is None for a body in chunks; `path` and `query` are as they were sent."""

    method: str
    path: str
    query: str
    is_http_1_0: bool
    headers: dict[str, str]
    length: int | None
    keeps_alive: bool
    expects_continue: bool

    def with_length(self, digits: bytes) -> "Head":
        """Return the same head with another valid content-length, in ASCII."""
        return Head(
            self.method,
            self.path,
            self.query,
            self.is_http_1_0,
            {**self.headers, "content-length": digits.decode("ascii")},
            int(digits),
            self.keeps_alive,
            self.expects_continue,
        )


def late() -> HeadRefused:
    """Return the refusal of a head that began and did not come to its end."""
    return HeadRefused(408, "the head of the request did not arrive in time", "timeout_error")


def malformed() -> HeadRefused:
    """Return the refusal of what is no HTTP/1.1."""
    return HeadRefused(400, "the request is not valid HTTP/1.1")


class HeadReader:
    """Collects a head from the pieces in which it comes."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    @property
    def has_begun(self) -> bool:
        return bool(self._data)

    def feed(self, data: bytes) -> tuple[bytes, bytes] | None:
        """Return the head and what follows it; None while it is not complete.

        Raises `HeadRefused` as soon as no further byte could make it a head.
        """
        if self._data:
            return self._feed_more(data)
        end = data.find(_END, 0, HEAD_LIMIT_BYTES)
        if end >= 0:
            return data[: end + 4], data[end + 4 :]
        self._data += data
        self._check(0)
        return None

    def _feed_more(self, data: bytes) -> tuple[bytes, bytes] | None:
        seen = len(self._data)
        self._data += data
        end = self._data.find(_END, max(0, seen - 3), HEAD_LIMIT_BYTES)
        if end >= 0:
            return bytes(self._data[: end + 4]), bytes(self._data[end + 4 :])
        self._check(seen)
        return None

    def _check(self, seen: int) -> None:
        data = self._data
        bare = _BARE_LF.search(data, max(0, seen - 1), HEAD_LIMIT_BYTES)
        if bare is not None or (seen < _METHOD_BYTES and _BEGINNING.match(data, 0, _METHOD_BYTES) is None):
            raise malformed()
        if len(data) >= HEAD_LIMIT_BYTES:
            raise HeadRefused(431, f"the head is larger than {HEAD_LIMIT_BYTES} bytes")


def read_head(data: bytes) -> Head:
    """Return what a complete head says; raise `HeadRefused` when it is not strictly valid."""
    match = _HEAD.fullmatch(data)
    if match is None:
        raise malformed()
    method, target, version, lines = match.groups()
    if version != b"1.1" and version != b"1.0":
        raise HeadRefused(505, "only HTTP/1.1 is spoken here")
    path, _, query = target.decode("ascii").partition("?")
    is_http_1_0 = version == b"1.0"
    headers = _headers_of(lines.decode("latin-1"))
    if _HOST.fullmatch(headers.get("host", "")) is None:
        raise HeadRefused(400, "exactly one valid host header is needed")
    options = headers.get("connection", "").lower()
    return Head(
        method=method.decode("ascii"),
        path=path,
        query=query,
        is_http_1_0=is_http_1_0,
        headers=headers,
        length=_length_of(headers, is_http_1_0),
        keeps_alive=not is_http_1_0 and "close" not in options,
        expects_continue=headers.get("expect", "").lower() == "100-continue" and not is_http_1_0,
    )


def _headers_of(lines: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    fields = lines.split("\r\n")
    for field in fields:
        name, _, value = field.partition(":")
        headers[name.lower()] = value.strip(" \t")
    del headers[""]  # what follows the last line end
    if len(fields) - 1 > FIELDS_LIMIT:
        raise HeadRefused(431, f"more than {FIELDS_LIMIT} header fields")
    return headers if len(headers) == len(fields) - 1 else _joined(fields[:-1])


def _joined(fields: list[str]) -> dict[str, str]:
    """Put together the fields of one name, but for those that decide where and what a message is."""
    parts = [field.partition(":") for field in fields]
    names = [name.lower() for name, _, _ in parts]
    for name in _SINGLE:
        if names.count(name) > 1:
            raise HeadRefused(400, f"more than one {name} header")
    return joined([(name, value.strip(" \t")) for name, (_, _, value) in zip(names, parts, strict=True)])


_SINGLE = ("host", "content-length", "transfer-encoding")


def _length_of(headers: dict[str, str], is_http_1_0: bool) -> int | None:
    length, coding = headers.get("content-length"), headers.get("transfer-encoding")
    if coding is None:
        if length is None:
            return 0
        if _LENGTH.fullmatch(length) is None:
            raise HeadRefused(400, "the content-length is not a number")
        return int(length)
    if length is not None:
        raise HeadRefused(400, "content-length beside transfer-encoding")
    if is_http_1_0:
        raise HeadRefused(400, "transfer-encoding in HTTP/1.0")
    if coding.lower() != "chunked":
        raise HeadRefused(501, "of the transfer codings only chunked is known")
    return None
