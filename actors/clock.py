"""Trio's clock, read at a third of the cost: one call in place of the three that `trio.current_time` makes."""

from collections.abc import Callable

import trio

Now = Callable[[], float]
"""Returns the time of Trio's clock."""


def clock() -> Now:
    """Return what tells the time of the present run, for as long as that lasts.

    Outside of a run nobody knows which clock it will be, and what is returned looks for it each time.
    """
    return trio.lowlevel.current_clock().current_time if trio.lowlevel.in_trio_run() else trio.current_time
