"""How long answers took over the time of a run, and what was done to the router meanwhile.

Whatever the length of a run, it keeps some numbers for each half of a second: the latencies themselves are forgotten
when the half second is over.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import trio

from ucr.stress.real.load import Shot
from ucr.stress.real.report import quantile

WIDTH_S = 0.5
"""How long a slice is."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Half a second: the answers that came in it, by what they were, and how long the good ones took."""

    at_s: float
    ok: int
    wrong: int
    p50_s: float = 0.0
    p95_s: float = 0.0
    longest_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that was done, as the kill of a worker, or the beginning of a chapter."""

    at_s: float
    name: str


@dataclass(frozen=True, slots=True)
class Course:
    """A run that is over. `chapters` are its parts, `faults` what was done in them; times count from its beginning."""

    length_s: float
    slices: tuple[Slice, ...] = ()
    chapters: tuple[Happening, ...] = ()
    faults: tuple[Happening, ...] = ()


@dataclass(slots=True)
class _Open:
    """A slice to which something may still come."""

    times: list[float] = field(default_factory=list)
    wrong: int = 0


class Timeline:
    """What happens in a run that goes on. `now` is the clock of those who send requests."""

    def __init__(self, now: Callable[[], float] = trio.current_time) -> None:
        self._chapters: list[Happening] = []
        self._happenings: list[Happening] = []
        self._slices: list[Slice] = []
        self._open: dict[int, _Open] = {}
        self._now = now
        self._began = now()

    @property
    def length_s(self) -> float:
        """How long the run has lasted."""
        return self._now() - self._began

    @property
    def waiting(self) -> int:
        """How many times to answer are kept, since their half second is not over."""
        return sum(len(one.times) for one in self._open.values())

    def begin(self, name: str) -> None:
        """A part of the run begins."""
        self._chapters.append(Happening(self.length_s, name))

    def mark(self, name: str) -> None:
        """Something is done now."""
        self._happenings.append(Happening(self.length_s, name))

    def add(self, shots: Iterable[Shot]) -> None:
        """Add requests that have ended."""
        for shot in shots:
            one = self._open.setdefault(int((shot.finished_at - self._began) / WIDTH_S), _Open())
            if shot.verdict == "ok":
                one.times.append(shot.latency_s)
            else:
                one.wrong += 1
        self._close(int(self.length_s / WIDTH_S))

    def course(self) -> Course:
        """Return all of it, as it is now."""
        length_s = self.length_s
        self._close(int(length_s / WIDTH_S) + 1)
        slices = sorted(self._slices, key=lambda one: one.at_s)
        return Course(length_s, tuple(slices), tuple(self._chapters), tuple(self._happenings))

    def _close(self, before: int) -> None:
        """Keep of the slices before this one only their numbers."""
        for number in [number for number in self._open if number < before]:
            self._slices.append(_closed(number, self._open.pop(number)))


def _closed(number: int, one: _Open) -> Slice:
    times = sorted(one.times)
    if not times:
        return Slice(number * WIDTH_S, 0, one.wrong)
    p50_s, p95_s = (quantile(times, share) for share in (0.5, 0.95))
    return Slice(number * WIDTH_S, len(times), one.wrong, p50_s, p95_s, times[-1])
