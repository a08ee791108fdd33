"""Where lines of the log go: to a descriptor, without waiting for whoever reads.

How this works. A reader that has stopped reading (a stopped pager, a full journal) would stop the process that
writes to it, and with it every request. So a pipe or a terminal is opened once more, without waiting: the flag
belongs to that opening and not to those who share the descriptor. A socket is sent to without waiting. A line of
up to PIPE_BUF bytes goes into a pipe whole or not at all; a disk that is nearly full takes the beginning of one.
What does not go is dropped and counted, and the count is said before the next line that goes, in a file on a line of
its own. Where the system cannot open a descriptor again (it is no Linux), a full pipe is waited for.
"""

import os
import socket
import stat
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial

from ucr import jsontext

Write = Callable[[bytes], object]


class Outlet:
    """Writes lines. A reader that is gone or does not read, or a full disk, must not stop the router.

    `now` is the time of the line that tells how many were dropped.
    """

    def __init__(self, descriptor: int, now: Callable[[], str]) -> None:
        self.dropped = 0
        self._opened = ExitStack()
        self._write = _without_waiting(descriptor, self._opened)
        self._now = now
        self._before = b"\n" if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""

    def __repr__(self) -> str:
        return f"<Outlet, {self.dropped} lines dropped>"

    def close(self) -> None:
        """Close what was opened for this; the descriptor itself stays open."""
        self._opened.close()

    def write(self, line: bytes) -> None:
        """Write a line at once, or drop it."""
        if self.dropped:
            self._say_what_was_dropped()
        try:
            if self._write(line) < len(line):
                self.dropped += 1
        except OSError:
            self.dropped += 1

    def _say_what_was_dropped(self) -> None:
        event = {"timestamp": self._now(), "level": "warning", "event": "log.dropped", "lines": self.dropped}
        line = self._before + jsontext.dumps(event) + b"\n"
        with suppress(OSError):
            if self._write(line) == len(line):
                self.dropped = 0


def _without_waiting(descriptor: int, opened: ExitStack) -> Callable[[bytes], int]:
    """Return what writes without waiting, and says how many bytes went."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISSOCK(mode):
        return partial(_send, opened.enter_context(socket.socket(fileno=os.dup(descriptor))))
    if stat.S_ISFIFO(mode) or os.isatty(descriptor):
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            descriptor = os.open(f"/proc/self/fd/{descriptor}", flags)
        except OSError:
            return partial(os.write, descriptor)
        opened.callback(os.close, descriptor)
    return partial(os.write, descriptor)


def _send(stream: socket.socket, line: bytes) -> int:
    return stream.send(line, socket.MSG_DONTWAIT)
