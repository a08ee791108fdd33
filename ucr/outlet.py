"""Where lines of the log go: to a descriptor, without waiting for whoever reads.

How this works. A reader that has stopped reading (a stopped pager, a full journal) would stop the process that
writes to it, and with it every request. So a pipe or a terminal is opened once more, without waiting: the flag
belongs to that opening and not to those who share the descriptor. A socket is sent to without waiting. A line of
up to PIPE_BUF bytes goes into a pipe whole or not at all; a disk that is nearly full takes the beginning of one.
Lines that are written together go in one write where that is as good: into a file all of them, into a pipe as many as
PIPE_BUF takes. Where not all of them go, those that did not are written once more, each by itself. What does not go
then is dropped and counted, and the count is said before the next line that goes, in a file on a line of its own. Where
the system cannot open a descriptor again (it is no Linux), a full pipe is waited for.
"""

import os
import socket
import stat
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial

from ucr import jsontext
from ucr.line import LIMIT_BYTES

Write = Callable[[bytes], object]


class Outlet:
    """Writes lines. A reader that is gone or does not read, or a full disk, must not stop the router.

    `now` is the time of the line that tells how many were dropped.
    """

    def __init__(self, descriptor: int, now: Callable[[], str]) -> None:
        self.dropped = 0
        self._opened = ExitStack()
        self._write = _without_waiting(descriptor, self._opened)
        self._most_bytes = _most_bytes(descriptor)
        self._now = now
        self._before = b"\n" if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""

    def __repr__(self) -> str:
        return f"<Outlet, {self.dropped} lines dropped>"

    def close(self) -> None:
        """Close what was opened for this; the descriptor itself stays open."""
        self._opened.close()

    def write(self, lines: bytes) -> None:
        """Write one or more whole lines at once, and drop those that do not go."""
        while len(lines) > self._most_bytes:
            end = lines.rfind(b"\n", 0, self._most_bytes) + 1 or lines.index(b"\n") + 1
            self._put(lines[:end])
            lines = lines[end:]
        if lines:
            self._put(lines)

    def _put(self, lines: bytes) -> None:
        """Write lines in one write, those that do not go once more one by one, and drop one that does not go then."""
        if self.dropped:
            self._say_what_was_dropped()
        try:
            went = self._write(lines)
        except OSError:
            went = 0
        if went == len(lines):
            return
        begun = lines.rfind(b"\n", 0, went) + 1
        end = lines.index(b"\n", went) + 1
        if begun < went or end - begun == len(lines):
            self.dropped += 1
            begun = end
        for line in lines[begun:].splitlines(keepends=True):
            self._put(line)

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


def _most_bytes(descriptor: int) -> int:
    """Return how many bytes of lines go in one write; of what is a message each, none but one line."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISSOCK(mode):
        with socket.socket(fileno=os.dup(descriptor)) as stream:
            return LIMIT_BYTES if stream.type == socket.SOCK_STREAM else 0
    return LIMIT_BYTES if stat.S_ISFIFO(mode) or os.isatty(descriptor) else sys.maxsize


def _send(stream: socket.socket, line: bytes) -> int:
    return stream.send(line, socket.MSG_DONTWAIT)
