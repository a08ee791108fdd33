"""How short of memory a worker is, and what follows from it. Pure.

The steps are those of Envoy's overload manager (https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/overload_manager):
what can be done without goes first, then new work is refused, and at last the process is replaced.
"""

from collections.abc import Callable
from typing import Literal

from ucr.errors import ApiError

Level = Literal["calm", "tight", "shedding", "spent"]

LEVELS: tuple[Level, ...] = ("calm", "tight", "shedding", "spent")
"""From the lightest to the gravest: nothing; the cache is emptied and no answer is put into it; new requests are refused; the parent
puts another worker in the place of this one."""

_SHEDDING: tuple[Level, ...] = ("shedding", "spent")
_BEGINS_AT = (0.0, 0.8, 0.9, 0.95)
_EASES_BY = 0.05
"""A level ends when so much less is taken than it begins with, so that it does not flutter."""

LEAST_BYTES = 256 * 1024 * 1024
"""A worker's share is no less than this, whatever the machine has: an idle one takes about a sixth of it."""
_SHARE = 0.75

_SHORT_RETRY_S = 1


def share_bytes(machine_bytes: int, workers: int) -> int:
    """Return how much one of so many workers may take of a machine, or a container, with this much memory."""
    return max(LEAST_BYTES, int(machine_bytes * _SHARE) // workers)


def level_of(rss_bytes: int, limit_bytes: int, before: Level = "calm") -> Level:
    """Return the level of a worker that takes this much and was on another level before."""
    share = rss_bytes / limit_bytes
    now, eased = _step(share), _step(share + _EASES_BY)
    return LEVELS[max(now, min(LEVELS.index(before), eased))]


def _step(share: float) -> int:
    return max(step for step, begin in enumerate(_BEGINS_AT) if share >= begin)


def short() -> ApiError:
    """Return the error of a request for which there is no memory now."""
    return ApiError(
        "overloaded_error", "the router is short of memory; try again", retry_after_s=_SHORT_RETRY_S
    )


class Pressure:
    """What a worker takes, and on which level that is. `limit_bytes` is what it may take.

    While it `is_tight` nothing may be kept that can be done without, and while it `is_shedding` no new request may be begun.
    `take` tells what is taken at this moment, in a process that the worker has to itself.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.rss_bytes = 0
        self.level: Level = "calm"
        self.is_tight = False
        self.is_shedding = False
        self.take: Callable[[], int] | None = None

    def __repr__(self) -> str:
        return f"<Pressure {self.level}: {self.rss_bytes} of {self.limit_bytes} bytes>"

    def look(self, rss_bytes: int) -> None:
        """Take down what the worker takes now."""
        self.rss_bytes = rss_bytes
        self.level = level_of(rss_bytes, self.limit_bytes, self.level)
        self.is_tight = self.level != "calm"
        self.is_shedding = self.level in _SHEDDING

    def check(self) -> None:
        """Raise `ApiError` 529 when at this moment so much is taken that nothing large may be begun."""
        if self.take is not None and level_of(self.take(), self.limit_bytes) in _SHEDDING:
            raise short()
