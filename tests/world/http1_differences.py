"""Every way in which the front lane is stricter than h11 0.16: the words of docs/architecture.md, and what they mean.

`read_by_lane` and `read_by_h11` read the same bytes; each returns None for what it refuses or cannot finish.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import h11

from ucr.errors import ApiError
from ucr.fields import HEAD_LIMIT_BYTES, joined
from ucr.lane.head import HeadReader, HeadRefused, read_head
from ucr.lane.intake import Intake


@dataclass(frozen=True, slots=True)
class Message:
    """One request as it was read, and what follows it."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    rest: bytes


def read_by_lane(data: bytes) -> Message | None:
    try:
        taken = HeadReader().feed(data)
        if taken is None:
            return None
        head, intake = read_head(taken[0]), Intake(read_head(taken[0]).length)
        intake.feed(taken[1])
    except (HeadRefused, ApiError):
        return None
    if not intake.is_complete:
        return None
    target = f"{head.path}?{head.query}" if "?" in taken[0].split(b" ")[1].decode() else head.path
    return Message(head.method, target, head.headers, intake.take(), intake.rest)


def read_by_h11(data: bytes) -> Message | None:
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT_BYTES)
    body = b""
    try:
        server.receive_data(data)
        request = server.next_event()
        if not isinstance(request, h11.Request):
            return None
        while not isinstance(event := server.next_event(), h11.EndOfMessage):
            if not isinstance(event, h11.Data):
                return None
            body += bytes(event.data)
    except h11.RemoteProtocolError:
        return None
    pairs = [(name.decode(), value.decode("latin-1")) for name, value in request.headers]
    rest = bytes(server.trailing_data[0])
    return Message(request.method.decode(), request.target.decode(), joined(pairs), body, rest)


def _head_of(data: bytes) -> bytes:
    return data.partition(b"\r\n\r\n")[0] + b"\r\n"


def _values(data: bytes, name: bytes) -> list[bytes]:
    return [value.strip(b" \t") for value in re.findall(rb"(?im)^" + name + rb":([^\r\n]*)", _head_of(data))]


def _has_odd_lines(data: bytes) -> bool:
    return re.search(rb"(?<!\r)\n|\r(?!\n)|\r\n[ \t]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", data) is not None


def _has_odd_host(data: bytes) -> bool:
    plain = rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(:[0-9]{1,5})?"
    return any(re.fullmatch(plain, value) is None for value in _values(data, b"host"))


def _has_odd_length(data: bytes) -> bool:
    lengths, codings = _values(data, b"content-length"), _values(data, b"transfer-encoding")
    is_plain = len(lengths) <= 1 and all(re.fullmatch(rb"[0-9]{1,15}", value) for value in lengths)
    return not is_plain or bool(lengths and codings)


def _has_odd_chunks(data: bytes) -> bool:
    body = data.partition(b"\r\n\r\n")[2]
    lines = body.split(b"\r\n")
    is_large = any(re.match(rb"[0-9A-Fa-f]{16}", line) for line in lines) or len(body) > 8_000
    return bool(_values(data, b"transfer-encoding")) and (is_large or any(len(line) > 1_000 for line in lines))


DIFFERENCES: Mapping[str, Callable[[bytes], bool]] = MappingProxyType(
    {
        "line ends that are a bare LF; folded fields; control characters in a value": _has_odd_lines,
        "a Host that is empty, a list, or has a path, a user or a blank in it": _has_odd_host,
        "`content-length` beside `transfer-encoding`; a length that is sent twice, is a list or has more than "
        "15 digits": _has_odd_length,
        "`transfer-encoding` in HTTP/1.0": lambda data: (
            b"HTTP/1.0\r\n" in data and bool(_values(data, b"transfer-encoding"))
        ),
        "a method of 32 characters or more": lambda data: re.match(rb"\S{32}", data) is not None,
        "HTTP/1.2 to 9.9, the preface of HTTP/2 included": lambda data: (
            re.search(rb"^\S+ \S+ HTTP/(1\.[2-9]|[02-9]\.[0-9])\r\n", data) is not None
        ),
        "more than 100 fields; a head of more than 64 KiB in one piece": lambda data: (
            len(_head_of(data)) > 65_000 or _head_of(data).count(b"\r\n") > 101
        ),
        "in a chunked body: a size of more than 15 digits, a line of more than 1 KiB, trailers of more than 8 KiB": (
            _has_odd_chunks
        ),
    }
)


def difference_in(data: bytes) -> str | None:
    """Return the documented difference that these bytes are an example of."""
    return next((words for words, holds in DIFFERENCES.items() if holds(data)), None)
