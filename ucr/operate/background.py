"""Starts a router in the background, and ends it.

How this works: the router is a process in a session of its own, so that no terminal ends it. It says by itself when it
serves, and where: it is started like a service of systemd and sends the same message. The command that starts it waits
for that, or for the end of the process, whichever comes first; it never guesses by asking a port that may be another's.
"""

import os
import re
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from ucr.config.places import config_place
from ucr.errors import ConfigError
from ucr.operate.identity import LOOK_S, Held, identity_of
from ucr.operate.progress import Progress
from ucr.operate.seat import Running, Seat

FAILED = 1
START_LIMIT_S = 60.0
TAIL_LINES = 20

_SERVES = re.compile(rb"^STATUS=serves (\S+)", re.MULTILINE)
_MESSAGE_BYTES = 4096


class NotStarted(Exception):
    """The router did not start. `lines` are the last that it said; `status` is how the command ends."""

    def __init__(self, words: str, status: int, lines: list[str]) -> None:
        super().__init__(words)
        self.status = status
        self.lines = lines


def started(seat: Seat, options: tuple[str, ...], config: str | None, environ: Mapping[str, str]) -> Running:
    """Start a router and return when it serves; raise `NotStarted`, and `OSError` for a folder that is no good.

    `options` are those of `ucr-trio serve`. The seat must be locked and free.
    """
    place = _place(config, environ)
    descriptor, begin = seat.open_log()
    try:
        with _listening() as (ear, address):
            pid = _spawned(options, {**environ, "NOTIFY_SOCKET": address}, descriptor)
            with ExitStack() as undone:
                undone.callback(_end, pid)  # whatever happens until it is written down that it is there
                url = _wait_ready(pid, ear, seat, begin)
                running = _running(pid, url, place)
                if running is None:
                    words = "the router ended as soon as it was ready"
                    raise NotStarted(words, FAILED, seat.log_from(begin, TAIL_LINES))
                seat.take(running)
                undone.pop_all()
    finally:
        os.close(descriptor)
    return running


def _running(pid: int, url: str, place: str | None) -> Running | None:
    """Return what is written down of a router; None when its process has ended."""
    found = identity_of(pid)
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return None if found is None else Running(pid, found.started, found.boot, url, place, since)


def _end(pid: int) -> None:
    """Tell a process to end that was started here, unless it has ended: nobody else would know of it."""
    with suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG) == (0, 0):
            os.kill(pid, signal.SIGTERM)


def _place(config: str | None, environ: Mapping[str, str]) -> str | None:
    """Return the whole path of the file that will be served; None when there is none."""
    try:
        found = config_place(config, environ, lambda path: Path(path).is_file())
    except ConfigError:  # which the router itself will say
        return None
    return None if found is None else str(Path(found).absolute())


@contextmanager
def _listening() -> Iterator[tuple[socket.socket, str]]:
    """Yield a socket for what a service says of itself, and its address."""
    with (
        tempfile.TemporaryDirectory(prefix="ucr-") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear,
    ):
        address = str(Path(folder, "notify"))
        ear.bind(address)
        ear.settimeout(LOOK_S)
        yield ear, address


def _spawned(options: tuple[str, ...], environ: Mapping[str, str], log: int) -> int:
    """Start the process that serves, with all that it says in the log; return its id."""
    command = [sys.executable, "-P", "-m", "ucr.cli", "serve", *options]
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, log, 1),
        (os.POSIX_SPAWN_DUP2, log, 2),
    ]
    return os.posix_spawn(sys.executable, command, dict(environ), file_actions=actions, setsid=True)


def _wait_ready(pid: int, ear: socket.socket, seat: Seat, begin: int) -> str:
    """Return where the router listens as soon as it does."""
    deadline = time.monotonic() + START_LIMIT_S
    with Progress("waiting for the router", time.monotonic) as progress:
        while time.monotonic() < deadline:
            with suppress(TimeoutError):
                said = ear.recv(_MESSAGE_BYTES)
                if b"READY=1" in said and (found := _SERVES.search(said)):
                    return found[1].decode()
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                words = f"the router did not start: its process ended with status {code}"
                raise NotStarted(words, code if code > 0 else FAILED, seat.log_from(begin, TAIL_LINES))
            progress.tick()
    words = f"the router was not ready within {START_LIMIT_S:.0f} s, and was told to end"
    raise NotStarted(words, FAILED, seat.log_from(begin, TAIL_LINES))


def stopped(seat: Seat, running: Running, limit_s: float, *, at_once: bool) -> bool:
    """Tell a router to end and wait for it; return whether it has ended within the limit.

    It drains first; `at_once` it drops what is under way. Raise `PermissionError` for another user's process.
    """
    with Held(running.identity) as held, _progress(running) as progress:
        held.tell(signal.SIGTERM)

        def tick() -> None:
            progress.tick()
            if at_once:
                held.tell(signal.SIGTERM)

        has_ended = held.wait(limit_s, tick)
    if has_ended:
        seat.leave(running)
    return has_ended


def _progress(running: Running) -> AbstractContextManager[Progress]:
    return Progress(f"waiting for the open requests of process {running.pid}")
