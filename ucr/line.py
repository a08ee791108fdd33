"""A line of the log: fields in their order as JSON that fits the limit, is plain, and steers no terminal. Pure."""

import re
from collections.abc import Mapping
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from ucr import jsontext
from ucr.redaction import Redactor

LIMIT_BYTES = 4096
"""Writes of up to this many bytes to a pipe are never mixed with others (PIPE_BUF of Linux)."""

VALUE_LIMITS = (1024, 256, 64, 16)
"""To how many characters texts are cut, until the line fits."""

HEAD = ("timestamp", "level", "event")

FINISHED = (
    "request_id",
    "worker",
    "dialect",
    "provider",
    "model_asked",
    "model_used",
    "route",
    "tier",
    "attempts",
    "status",
    "stream",
    "cache",
    "ttfb_ms",
    "total_ms",
    "overhead_ms",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "stop_reason",
    "error_type",
    "session_id",
    "agent_id",
)
"""The first fields of `request.finished`, in their order; one that is not known is null."""

TEXTS = itemgetter(
    *("worker", "dialect", "provider", "model_asked", "model_used", "route", "tier", "cache", "stop_reason"),
    *("error_type", "session_id", "agent_id", "client", "peer", "healed", "bridged"),
)
"""Gives the texts of `request.finished`, but for the request's id, which the router has made itself."""

_KNOWN: Mapping[str, None] = MappingProxyType(dict.fromkeys((*HEAD, *FINISHED)))

_STEERING = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""DEL, the second set of control characters, ends of lines and of paragraphs, and changes of direction."""

_PLAIN = frozenset({str, int, float, bool, type(None)})
"""Types that need no look at what is in them."""


def rendered(event: Mapping[str, Any], redactor: Redactor) -> bytes:
    """Return an event as a line, without any secret."""
    fields = _in_order(event)
    if not _PLAIN.issuperset(map(type, fields.values())):
        fields = {key: plain(value) for key, value in fields.items()}
    line = jsontext.dumps(fields)
    if redactor.suspects(_texts_of(fields, line)):
        fields = redactor.tree(fields)
        line = jsontext.dumps(fields)
    return _fitted(fields, line)


def _in_order(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields in the order of the contract, then the others as they came."""
    known = {key: event[key] for key in FINISHED if key in event}
    return {**{key: event.get(key) for key in HEAD}, **known, **event}


def _texts_of(fields: Mapping[str, Any], line: bytes) -> str:
    """Return all text of a line that may come from outside: values and unknown names, or all there is."""
    if not _PLAIN.issuperset(map(type, fields.values())):
        return line.decode()
    texts = [value for value in fields.values() if type(value) is str]
    return "\n".join((*texts, *(fields.keys() - _KNOWN.keys())))


def plain(value: Any) -> Any:
    """Return a value as plain JSON data; what JSON has no word for is written as text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return str(value)


def _fitted(event: Mapping[str, Any], line: bytes) -> bytes:
    """Return the event's JSON as a line that fits the limit: long values are cut, and at the last left out."""
    line = _plain_line(line)
    for limit in VALUE_LIMITS:
        if len(line) < LIMIT_BYTES:
            return line + b"\n"
        line = _plain_line(jsontext.dumps({key: _cut(item, limit) for key, item in event.items()}))
    if len(line) < LIMIT_BYTES:
        return line + b"\n"
    kept = (key for key in (*HEAD, *FINISHED) if key in event)
    shortest = jsontext.dumps({key: _cut(event[key], VALUE_LIMITS[-1]) for key in kept} | {"cut": True})
    return _plain_line(shortest) + b"\n"


def _plain_line(line: bytes) -> bytes:
    """Escape what JSON may hold as it is but a terminal obeys, or a reader of lines takes for an end of one."""
    if line.isascii() and b"\x7f" not in line:
        return line
    return _STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", line.decode()).encode()


def _cut(value: Any, limit: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= limit else f"{value[:limit]}…"
    if isinstance(value, dict | list):
        text = jsontext.dumps(value).decode()
        return value if len(text) <= limit else f"{text[:limit]}…"
    return value
