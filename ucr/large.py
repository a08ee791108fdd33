"""Work on very large requests: in a thread, between whose steps the others have their turns.

One after the other: a thread that parses or writes JSON keeps the interpreter to itself, and several would take turns
with each other before the loop had its own. So the longest that anybody waits for the loop is one such step.
"""

from collections.abc import Callable
from typing import TypeVar

import trio
from outcome import Error, Outcome, Value

from ucr.errors import ApiError

LARGE_BYTES = 4 * 1024 * 1024
"""Working on this much takes longer than others should wait; a thread costs a thousandth of it."""

T = TypeVar("T")


async def beside(limiter: trio.CapacityLimiter, work: Callable[[], T]) -> T:
    """Return what `work` returns, done in a thread when the limiter lets it; raise what it raises.

    It is not interrupted: whoever is cancelled meanwhile leaves when it has ended.
    """
    return (await trio.to_thread.run_sync(_outcome, work, limiter=limiter)).unwrap()


def _outcome(work: Callable[[], T]) -> Outcome[T]:
    """Return what became of the work; a refusal comes without the frames of the thread, which would hold it."""
    try:
        return Value(work())
    except ApiError as error:
        return Error(error.without_frames())
