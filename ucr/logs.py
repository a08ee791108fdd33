"""The log: JSON lines, each one write of at most 4 KiB, without secrets.

How this works: structlog, with its own processors and no global configuration, hands every event to one sink.
Redaction happens here and not where events are made, on every text of a line, before anything is cut (a secret
cut in half would not be recognised). A `Log` is an argument of whoever logs.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from ucr import jsontext
from ucr.config.model import Config
from ucr.outlet import Outlet, Write
from ucr.redaction import Redactor

Log = FilteringBoundLogger
Clock = Callable[[], datetime]

LINE_LIMIT_BYTES = 4096
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
"""The fields of `request.finished`, in their order; one that is not known is null."""

_FINISHED_BLANK: Mapping[str, None] = MappingProxyType(dict.fromkeys((*HEAD, *FINISHED)))

LEVELS: Mapping[str, int] = MappingProxyType(
    {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
)


_STEERING = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""DEL, the second set of control characters, ends of lines and of paragraphs, and changes of direction."""

PLAIN = frozenset({str, int, float, bool, type(None)})
"""Types that need no look at what is in them."""


class LineSink:
    """What structlog writes to: one call of each writer per line."""

    def __init__(self, writers: Iterable[Write]) -> None:
        self._writers = tuple(writers)

    def msg(self, line: bytes) -> None:
        for write in self._writers:
            write(line)

    debug = info = warning = error = critical = msg


class HeardSink:
    """What structlog writes to while somebody overhears the log: `hear` gets what is at least an info.

    The writers get what they would get without that.
    """

    def __init__(self, writers: Iterable[Write], level: str, hear: Write) -> None:
        self._writers = tuple(writers)
        self._level = LEVELS[level]
        self._hear = hear

    def __getattr__(self, name: str) -> Callable[[bytes], None]:
        return partial(self._say, LEVELS[name])

    def _say(self, level: int, line: bytes) -> None:
        if level >= self._level:
            for write in self._writers:
                write(line)
        if level >= LEVELS["info"]:
            self._hear(line)


def make_log(
    level: str, secrets: Iterable[str], writers: Iterable[Write], now: Clock, hear: Write | None = None
) -> Log:
    """Return a log of events of at least `level`; `secrets` never appear in it, whoever logs them.

    `hear` gets every line of at least `info`, whatever the level.
    """
    redactor = Redactor(secrets)

    def stamp(_logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        return {"timestamp": moment(now), "level": method, **event}

    def render(_logger: WrappedLogger, _method: str, event: EventDict) -> bytes:
        fields = in_order(event)
        if not PLAIN.issuperset(map(type, fields.values())):
            fields = {key: plain(value) for key, value in fields.items()}
        line = jsontext.dumps(fields)
        if redactor.suspects(texts_of(fields, line)):
            fields = redactor.tree(fields)
            line = jsontext.dumps(fields)
        return fitted(fields, line)

    least = LEVELS[level] if hear is None else min(LEVELS[level], LEVELS["info"])
    logger = structlog.wrap_logger(
        LineSink(writers) if hear is None else HeardSink(writers, level, hear),
        processors=[stamp, structlog.processors.format_exc_info, render],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        context_class=dict,
    )
    return cast(Log, logger.bind())


def moment(now: Clock) -> str:
    """Return a time as the log writes it."""
    return now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class OpenLog:
    """The log that a configuration asks for: to standard output, and to the file if there is one.

    `reopen` follows another configuration, and a file that was moved away; whoever holds `log` need not know.
    """

    def __init__(self, config: Config, now: Clock) -> None:
        self._now = now
        self._stdout = _outlet(sys.stdout.fileno(), now)
        self._file = ExitStack()
        self._hear: Write | None = None
        self._present = self._made(config)
        self.log = cast(Log, _Present(self))

    def __repr__(self) -> str:
        return f"<OpenLog to {self._stdout!r}>"

    @property
    def present(self) -> Log:
        """The log as it is now; it is not to be kept."""
        return self._present

    def reopen(self, config: Config) -> None:
        """Log as this configuration says; raise `OSError`, and change nothing, if its file cannot be opened."""
        before = self._file
        self._present = self._made(config)
        before.close()

    def overhear(self, hear: Write | None) -> None:
        """Give every line of at least `info` to this as well, whatever the level; None ends it."""
        self._hear = hear
        self._present = self._log()

    def _made(self, config: Config) -> Log:
        outlets = [self._stdout]
        file = ExitStack()
        if config.logging.file is not None:
            descriptor = _open(config.logging.file)
            file.callback(os.close, descriptor)
            outlets.append(_outlet(descriptor, self._now))
            file.callback(outlets[-1].close)
        self._file, self._config, self._outlets = file, config, outlets
        return self._log()

    def _log(self) -> Log:
        secrets = (secret.reveal() for secret in self._config.secrets)
        writers = (outlet.write for outlet in self._outlets)
        return make_log(self._config.logging.level, secrets, writers, self._now, self._hear)


class _Present:
    """Passes every call on to the log of the moment."""

    __slots__ = ("_open",)

    def __init__(self, open_log: OpenLog) -> None:
        self._open = open_log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._open.present, name)


def stdout_log(level: str, now: Clock) -> Log:
    """Return a log to standard output, for a process that knows no secrets."""
    return make_log(level, (), (_outlet(sys.stdout.fileno(), now).write,), now)


def _outlet(descriptor: int, now: Clock) -> Outlet:
    return Outlet(descriptor, partial(moment, now))


def _open(path: str) -> int:
    """Open a log file; a pipe that nobody reads is an error, and not waited for."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)


def in_order(event: EventDict) -> dict[str, Any]:
    """Return the fields in the order of the contract, then the others as they came."""
    if event.get("event") == "request.finished":
        return {**_FINISHED_BLANK, **event}
    known = {key: event[key] for key in FINISHED if key in event}
    return {**{key: event.get(key) for key in HEAD}, **known, **event}


def texts_of(fields: Mapping[str, Any], line: bytes) -> str:
    """Return all text of a line that may come from outside: values and unknown names, or all there is."""
    if not PLAIN.issuperset(map(type, fields.values())):
        return line.decode()
    texts = [value for value in fields.values() if type(value) is str]
    return "\n".join((*texts, *(fields.keys() - _FINISHED_BLANK.keys())))


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


def fitted(event: Mapping[str, Any], line: bytes) -> bytes:
    """Return the event's JSON as a line that fits the limit: long values are cut, and at the last left out."""
    line = _plain_line(line)
    for limit in VALUE_LIMITS:
        if len(line) < LINE_LIMIT_BYTES:
            return line + b"\n"
        line = _plain_line(jsontext.dumps({key: _cut(item, limit) for key, item in event.items()}))
    if len(line) < LINE_LIMIT_BYTES:
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
