"""An answer as bytes: a head, parts and an end, framed by a length, by chunks or by the connection's end."""

import re
from http import HTTPStatus
from types import MappingProxyType

from ucr.dialects.roles import HeaderList
from ucr.fields import one_line

_NAMES = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PHRASES = MappingProxyType({status.value: status.phrase for status in HTTPStatus})


class Reply:
    """Frames one answer. `keeps_alive` says whether another may follow it on this connection."""

    __slots__ = ("_has_body", "_is_chunked", "_is_http_1_0", "_remaining", "keeps_alive")

    def __init__(self, *, method: str, is_http_1_0: bool, keeps_alive: bool) -> None:
        self._has_body = method != "HEAD"
        self._is_http_1_0 = is_http_1_0
        self._is_chunked = False
        self._remaining: int | None = None
        self.keeps_alive = keeps_alive

    def head(self, status: int, headers: HeaderList, date: str) -> bytes:
        """Return the head. Values become one line each; a name that is none raises `ValueError`."""
        if _NAMES.fullmatch("".join([name for name, _ in headers])) is None and headers:
            raise ValueError("an answer has a header whose name is not valid")
        text = "".join([value for _, value in headers])
        if not (text.isascii() and text.isprintable()):
            headers = tuple((name, one_line(value)) for name, value in headers)
        fields = dict(headers)
        if "content-length" in fields:
            self._remaining = int(fields["content-length"])
        if fields.get("connection") == "close":
            self.keeps_alive = False
        lines = [f"HTTP/1.1 {status} {_PHRASES.get(status, '')}"]
        lines += [f"{name}: {value}" for name, value in headers]
        lines.append(f"date: {date}")
        lines += self._framing("connection" in fields)
        return "\r\n".join(lines).encode("latin-1")

    def _framing(self, says_connection: bool) -> list[str]:
        lines = []
        if self._remaining is None and self._is_http_1_0:
            self.keeps_alive = False
        elif self._remaining is None:
            self._is_chunked = True
            lines.append("transfer-encoding: chunked")
        if not self.keeps_alive and not says_connection:
            lines.append("connection: close")
        return [*lines, "\r\n"]

    def part(self, data: bytes) -> bytes:
        """Return the bytes that carry a part of the body; `ValueError` for more than was announced."""
        if self._remaining is not None:
            self._remaining -= len(data)
            if self._remaining < 0:
                raise ValueError("an answer is longer than it said")
        if not self._has_body:
            return b""
        return b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data

    def end(self) -> bytes:
        """Return what ends the answer; one that is shorter than it said ends with its connection."""
        if self._remaining and self._has_body:
            self.keeps_alive = False
        return b"0\r\n\r\n" if self._is_chunked and self._has_body else b""
