"""A scheduler that schedules alike in every run.

Trio runs tasks that are ready in an order that it draws by lot. Its private switch makes it sort them first, and its
private generator draws the lots: pytest-trio sets both for Hypothesis. Nothing else touches them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from trio._core import _run

_SWITCH = "_ALLOW_DETERMINISTIC_SCHEDULING"


@contextmanager
def deterministic_scheduling(seed: int = 0) -> Iterator[None]:
    """Make Trio schedule alike, by this seed, in every run that is started in the block."""
    before = getattr(_run, _SWITCH)
    setattr(_run, _SWITCH, True)
    _run._r.seed(seed)
    try:
        yield
    finally:
        setattr(_run, _SWITCH, before)
