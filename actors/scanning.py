"""The head of an answer, read at one go by two regular expressions. Pure.

How this works. llhttp calls back for every field, which costs more than all else that is done with an answer. Most
heads come in one piece and are as RFC 9112 wants them, and those are taken here: more strictly than llhttp takes
them, so that nothing is read in another way than there. Whatever is unusual, wrong or not there yet is left to it.
Neither expression can match the same bytes in two ways, so that the time that they take grows with the head alone.
"""

import re
from typing import Literal

Framing = int | Literal["chunked"]
"""How many bytes a body has, or that its chunks say so."""
Fields = list[tuple[str, str]]

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # RFC 9110, 5.6.2
_VALUE = r"[\t -~]*"
_HEAD = re.compile(rf"HTTP/1\.1 ([2-5][0-9][0-9]) {_VALUE}\r\n(?:{_TOKEN}:{_VALUE}\r\n)*")
_FIELD = re.compile(rf"({_TOKEN}):({_VALUE})\r\n")
_LENGTH = re.compile(r"[0-9]{1,15}")

_BODILESS = frozenset({204, 304})
_ONCE = ("content-length", "transfer-encoding", "connection")
_UNUSUAL = frozenset({"upgrade", "proxy-connection"})


def scan(data: bytes, limit_bytes: int) -> tuple[int, Fields, Framing, int] | None:
    """Return the status, the fields, how the body ends, and where it begins, of an answer that keeps its connection.

    The names are lower-case. None: llhttp has to read it. The answer to HEAD always is that.
    """
    end = data.find(b"\r\n\r\n") + 2
    if not 2 <= end <= limit_bytes:
        return None
    head = data[:end].decode("latin-1")
    if (match := _HEAD.fullmatch(head)) is None or (status := int(match[1])) in _BODILESS:
        return None
    fields = [(name.lower(), value.strip(" \t")) for name, value in _FIELD.findall(head, match.end(1))]
    by_name = dict(fields)
    if not _UNUSUAL.isdisjoint(by_name) or by_name.get("connection", "keep-alive").lower() != "keep-alive":
        return None
    if len(by_name) < len(fields) and _says_twice(fields):
        return None
    framing = _framing(by_name.get("content-length"), by_name.get("transfer-encoding"))
    return None if framing is None else (status, fields, framing, end + 2)


def _says_twice(fields: Fields) -> bool:
    names = [name for name, _ in fields]
    return any(names.count(name) > 1 for name in _ONCE)


def _framing(length: str | None, coding: str | None) -> Framing | None:
    if coding is None:
        return int(length) if length is not None and _LENGTH.fullmatch(length) else None
    return "chunked" if length is None and coding.lower() == "chunked" else None
