"""Work on much data goes in steps, and rests after each, where whoever does it has said how.

A thread that works beside the loop does so: between two steps the loop would have the interpreter only until its next
call of the system, of which serving one request takes several. In a rest it has whole turns, and serves whoever came.
"""

from collections.abc import Callable
from contextvars import ContextVar

LARGE_BYTES = 4 * 1024 * 1024
"""Working on this much takes longer than others should wait; a thread costs a thousandth of it."""


def _go_on(_size_bytes: int) -> None:
    pass


RESTING: ContextVar[Callable[[int], object]] = ContextVar("resting", default=_go_on)
"""What is called after a step with so many bytes."""


def rest(size_bytes: int) -> None:
    """Rest after a step with so many bytes; whoever works on few of them does not ask."""
    RESTING.get()(size_bytes)
