"""Work on very large requests: in a thread, between whose steps the others have their turns.

One after the other: a thread that parses or writes JSON keeps the interpreter to itself, and several would take turns
with each other before the loop had its own. So the longest that anybody waits for the loop is one such step, and after
each the thread rests (`ucr/rests.py`).
"""

import time
from collections.abc import Callable
from typing import TypeVar

import trio
from outcome import Error, Outcome, Value

from ucr.errors import ApiError
from ucr.rests import RESTING

REST_S_A_BYTE = 4e-10
"""About a third of what a step takes: 12 ms at 30 MB."""

T = TypeVar("T")


async def beside(limiter: trio.CapacityLimiter, work: Callable[[], T]) -> T:
    """Return what `work` returns, done in a thread when the limiter lets it; raise what it raises.

    It is not interrupted: whoever is cancelled meanwhile leaves when it has ended.
    """
    return (await trio.to_thread.run_sync(_outcome, work, limiter=limiter)).unwrap()


def _outcome(work: Callable[[], T]) -> Outcome[T]:
    """Return what became of the work; a refusal comes without the frames of the thread, which would hold it."""
    RESTING.set(_sleep)  # in the context of this call alone
    try:
        return Value(work())
    except ApiError as error:
        return Error(error.without_frames())


def _sleep(size_bytes: int) -> None:
    time.sleep(size_bytes * REST_S_A_BYTE)
