"""Reads many streams from one task: for those that bring a few bytes now and again, which are most.

How this works. To wake a task for each few bytes costs Trio several times what is then done with them. Here the sockets
of streams that go on evenly are watched by an epoll of the pump's own, and Trio waits for that one, as for any other
file. What has come is read and handed over there and then, by a plain call for each stream, while the task of the
request sleeps. Whatever is out of the ordinary, such as an end, an error or a reader that has had enough, wakes that
task, which goes on in its own way: nothing is decided here.

Trio gives each task that can run a turn before the pump has its own again, so that hundreds of requests that begin at
once would hold up all streams for as long as all of them take. So who begins something longer calls `catch_up`, which
reads what has come in the meantime there and then.

Where there is no epoll (it is Linux's), no pump is usable, and every task reads for itself.
"""

import os
import select
from collections.abc import Callable, Iterator
from typing import Protocol

import outcome
import trio

from actors.clock import Now, clock
from actors.errors import PoolError

READ_BYTES = 65_536
MOST_AT_ONCE = 1024
"""How many streams are read before the rest of the process has its turn: some tens of milliseconds at the most, and less
than it would be if each of them woke a task, since Trio gives its turn to every one of those first."""

LATE_S = 0.005
"""For so long what has come may lie there while others have their turn."""

Take = Callable[[bytes, float], bool]
"""Takes bytes, and the time; False when the task is to go on itself. It must not wait."""


class Reading(Protocol):
    """What a pump reads for. `end` is told how it ended, when it was not its own wish; `busy_s` is how long it took."""

    busy_s: float
    take: Take

    def end(self, how: "outcome.Outcome[None]") -> None: ...


class Flow:
    """One stream in a pump: `take` is given what is read, b"" at the end. `busy_s` is how long that took."""

    __slots__ = ("_descriptor", "_pump", "_task", "busy_s", "take")

    def __init__(self, pump: "Pump", descriptor: int, take: Take) -> None:
        self._pump = pump
        self._descriptor = descriptor
        self.take = take
        self._task: trio.lowlevel.Task | None = None
        self.busy_s = 0.0

    def __repr__(self) -> str:
        return f"<Flow of descriptor {self._descriptor}{'' if self._task is None else ', going on'}>"

    async def run(self) -> None:
        """Hand over what comes, until the task is to go on itself; raise what `take` raises, and `OSError`.

        Being cancelled loses nothing.
        """
        self._task = trio.lowlevel.current_task()
        self._pump.add(self._descriptor, self)
        await trio.lowlevel.wait_task_rescheduled(self._abort)

    def cancel(self, *, reason: str | None = None) -> None:
        """End it from outside: it fails with a `PoolError` "timeout". May be called late, or again."""
        self.end(outcome.Error(PoolError("timeout", "the wait was ended", phase="idle")))

    def end(self, how: "outcome.Outcome[None]") -> None:
        """Let the task go on, with this outcome; for the pump."""
        task, self._task = self._task, None
        if task is not None:
            self._pump.remove(self._descriptor)
            trio.lowlevel.reschedule(task, how)

    def _abort(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        self._task = None
        self._pump.remove(self._descriptor)
        return trio.lowlevel.Abort.SUCCEEDED


class Pump:
    """The streams of one process that go on evenly. `run` it, and it is usable."""

    def __init__(self, most_at_once: int = MOST_AT_ONCE) -> None:
        self._most_at_once = most_at_once
        self._read_for: dict[int, Reading] = {}
        self._epoll: select.epoll | None = None
        self._now: Now = trio.current_time
        self._present: Reading | None = None
        self._at = 0.0

    def __repr__(self) -> str:
        return f"<Pump of {len(self._read_for)} sockets>"

    @property
    def flowing(self) -> int:
        """How many streams it reads."""
        return sum(isinstance(reading, Flow) for reading in self._read_for.values())

    @property
    def sockets(self) -> int:
        """How many sockets it reads, for streams and for others."""
        return len(self._read_for)

    @property
    def is_usable(self) -> bool:
        """True while it runs."""
        return self._epoll is not None

    def add(self, descriptor: int, reading: Reading) -> None:
        """Read this socket for whoever says so."""
        assert self._epoll is not None, "it runs"
        self._epoll.register(descriptor, select.EPOLLIN)
        self._read_for[descriptor] = reading

    def remove(self, descriptor: int) -> None:
        """Leave a socket alone, before it is closed."""
        del self._read_for[descriptor]
        if self._epoll is not None:
            self._epoll.unregister(descriptor)

    async def run(self) -> None:
        """Read until cancelled, where the system has what it takes."""
        if not hasattr(select, "epoll"):
            await trio.sleep_forever()
        self._now = clock()
        with select.epoll() as self._epoll:
            try:
                while True:
                    await trio.lowlevel.wait_readable(self._epoll.fileno())
                    self._read_ready(self._epoll)
            finally:
                self._epoll = None

    def catch_up(self) -> None:
        """Read what has come, if nothing was read for `LATE_S`: by whoever will take a while, and is in no flow."""
        if self._read_for and self._epoll is not None and self._now() >= self._at + LATE_S:
            self._read_ready(self._epoll)

    def _read_ready(self, epoll: select.epoll) -> None:
        """Read what is there, and what has come in the meantime: another look costs far less than another turn of Trio's."""
        self._at = self._now()
        until, left = self._at + LATE_S, self._most_at_once
        while left > 0 and self._at < until and (found := epoll.poll(0, left)):
            left -= len(found)
            ready = iter(found)
            while isinstance(failure := outcome.capture(self._hand_over, ready), outcome.Error):
                self._finish(failure)
        self._present = None

    def _hand_over(self, ready: Iterator[tuple[int, int]]) -> None:
        """Go on through those that are ready. What is raised is the failure of the present one."""
        read_for = self._read_for
        for descriptor, _ in ready:
            # What was handed over before may have ended this one.
            reading = self._present = read_for.get(descriptor)
            if reading is None:
                continue
            try:
                data = os.read(descriptor, READ_BYTES)
            except BlockingIOError:
                continue
            if reading.take(data, self._at):
                then = self._now()
                reading.busy_s += then - self._at
                self._at = then
            else:
                self._finish(outcome.Value(None))

    def _finish(self, how: "outcome.Outcome[None]") -> None:
        reading, then = self._present, self._now()
        if reading is not None:
            reading.busy_s += then - self._at
            reading.end(how)
        self._at = then
