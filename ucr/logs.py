"""The log: JSON lines, each one write of at most 4 KiB, without secrets.

How this works: structlog, with its own processors and no global configuration, hands every event to one sink.
Redaction happens here and not where events are made, on every text of a line, before anything is cut (a secret
cut in half would not be recognised). A `Log` is an argument of whoever logs. The line that every request ends with is
written beneath structlog, by `finished`: what structlog does for an event takes longer than all else there is to it.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from ucr import jsontext
from ucr.config.model import Config
from ucr.line import LIMIT_BYTES, TEXTS, rendered
from ucr.outlet import Outlet, Write
from ucr.redaction import Redactor


class Log(FilteringBoundLogger, Protocol):
    """A logger of structlog's that has a way of its own for the line which every request ends with."""

    def finished(self, fields: dict[str, object], unix_s: float) -> bytes:
        """Log `request.finished` with the fields of a `Record`; return them as JSON without any secret.

        It is returned whatever the level.
        """
        ...


Clock = Callable[[], datetime]

LEVELS: Mapping[str, int] = MappingProxyType(
    {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
)

_NO_MORE_EXACT = 0.0005
"""Half a microsecond, in milliseconds: numbers that stand for a time are mostly a little too small or too large."""


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
    redactor, writers = Redactor(secrets), tuple(writers)

    def render(_logger: WrappedLogger, method: str, event: EventDict) -> bytes:
        return rendered({"timestamp": moment(now), "level": method, **event}, redactor)

    is_told = LEVELS[level] <= LEVELS["info"]
    finished = _Finished(redactor, (*(writers if is_told else ()), *((hear,) if hear else ())))
    least = LEVELS[level] if hear is None else min(LEVELS[level], LEVELS["info"])
    bound = structlog.make_filtering_bound_logger(least)
    logger = structlog.wrap_logger(
        LineSink(writers) if hear is None else HeardSink(writers, level, hear),
        processors=[structlog.processors.format_exc_info, render],
        wrapper_class=type("BoundLog", (bound,), {"finished": staticmethod(finished.tell)}),
        context_class=dict,
    )
    return cast(Log, logger.bind())


class _Finished:
    """Writes `request.finished`, the one line that there is for every request, by the shortest way.

    It is the line that `rendered` would make. But the fields are plain and in their order already, and the texts in
    them are mostly those of requests before, in which nothing was to be hidden or escaped. The time is written once a
    second, but for its milliseconds.
    """

    def __init__(self, redactor: Redactor, writers: tuple[Write, ...]) -> None:
        self._redactor = redactor
        self._writers = writers
        self._second = 0
        self._head = _head_of(0)

    def tell(self, fields: dict[str, object], unix_s: float) -> bytes:
        if not self._redactor.clears(TEXTS(fields)):
            return self._tell_carefully(fields, unix_s)
        told = jsontext.dumps(fields)
        if self._writers:
            second, ms = divmod(int(unix_s * 1000 + _NO_MORE_EXACT), 1000)
            if second != self._second:
                self._second, self._head = second, _head_of(second)
            line = b'%b%03dZ","level":"info","event":"request.finished",%b\n' % (self._head, ms, told[1:])
            if len(line) > LIMIT_BYTES:
                return self._tell_carefully(fields, unix_s)
            for write in self._writers:
                write(line)
        return told

    def _tell_carefully(self, fields: dict[str, object], unix_s: float) -> bytes:
        timestamp = written(datetime.fromtimestamp(unix_s, UTC))
        head = {"timestamp": timestamp, "level": "info", "event": "request.finished"}
        line = rendered({**head, **fields}, self._redactor)
        for write in self._writers:
            write(line)
        return jsontext.dumps(self._redactor.tree(fields))


def _head_of(second: int) -> bytes:
    return b'{"timestamp":"%b.' % written(datetime.fromtimestamp(second, UTC))[:-5].encode()


def moment(now: Clock) -> str:
    """Return the time as the log writes it."""
    return written(now())


def written(time: datetime) -> str:
    """Return a time as the log writes it."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


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
        self._shared = _Present(self)
        self.log = cast(Log, self._shared)

    def __repr__(self) -> str:
        return f"<OpenLog to {self._stdout!r}>"

    @property
    def present(self) -> Log:
        """The log as it is now; it is not to be kept."""
        return self._present

    def reopen(self, config: Config) -> None:
        """Log as this configuration says; raise `OSError`, and change nothing, if its file cannot be opened."""
        before = self._file
        self._follow(self._made(config))
        before.close()

    def overhear(self, hear: Write | None) -> None:
        """Give every line of at least `info` to this as well, whatever the level; None ends it."""
        self._hear = hear
        self._follow(self._log())

    def _follow(self, log: Log) -> None:
        self._present = log
        self._shared.finished = log.finished

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
    """Passes every call on to the log of the moment. `finished` is that log's own: no request looks for it."""

    __slots__ = ("_open", "finished")

    def __init__(self, open_log: OpenLog) -> None:
        self._open = open_log
        self.finished = open_log.present.finished

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
