"""Virtual time that waits for threads.

A clock that jumps as soon as all tasks wait jumps to the next deadline while a thread still works: then the speed of
the machine decides what a test sees.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import trio
from trio.abc import Clock, Instrument
from trio.testing import MockClock, active_thread_count

T = TypeVar("T")


class ThreadWatch(Instrument):
    """Keeps a clock from jumping from the start of a thread until the task that awaits it goes on."""

    def __init__(self, clock: MockClock) -> None:
        self._clock = clock
        self._threshold_s = clock.autojump_threshold

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        threshold_s = math.inf if active_thread_count() else self._threshold_s
        if self._clock.autojump_threshold != threshold_s:
            self._clock.autojump_threshold = threshold_s


def run(
    act: Callable[[], Awaitable[T]], clock: Clock | None = None, instruments: Sequence[Instrument] = ()
) -> T:
    """Run `act` as `trio.run` does; a clock that jumps waits for threads."""
    watches = [ThreadWatch(clock)] if isinstance(clock, MockClock) else []
    return trio.run(act, clock=clock, instruments=[*instruments, *watches])


def run_jumping(act: Callable[[], Awaitable[T]], instruments: Sequence[Instrument] = ()) -> T:
    """Run `act` in virtual time."""
    return run(act, MockClock(autojump_threshold=0), instruments)
