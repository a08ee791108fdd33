"""An adaptive limit: how much work an upstream takes before it becomes slow, found by trying. Pure.

How this works. The time to the first byte is what is looked at, since the whole time of an answer depends on its
length. Times are gathered in rounds. A round that is slower than the baseline by more than the tolerance, or in
which calls were refused or timed out, lowers the limit by a tenth; a round in which the limit was really used raises
it by one (the AIMD limit of Netflix's concurrency-limits). A limit that nobody uses says nothing and stays as it is.

The baseline is what the upstream takes when nothing waits in it. The fastest round ever would be too old after a
while, and the fastest of the last rounds creeps up with the limit, since every step makes the next one look normal.
So it is measured anew now and then, as in Envoy's adaptive concurrency: for two rounds the limit is halved, one for
what waits to drain away, and one to measure.
"""

import math

INITIAL = 20
ROUND = 10
"""A round ends after so many times, or after as many as the limit, whichever is more."""
MEASURED_EVERY = 50
"""After so many rounds the baseline is measured anew."""
TOLERANCE = 1.5
BACKOFF = 0.9


class AdaptiveLimit:
    """`limit` is how much may be in flight: at least 1, at most `most`."""

    def __init__(self, most: int, *, initial: int = INITIAL) -> None:
        self._most = max(1, most)
        self._limit = float(min(initial, self._most))
        self._round: list[float] = []
        self._peak = 0
        self._has_failed = False
        self._baseline = math.inf
        self._rounds = 0

    def __repr__(self) -> str:
        return f"<AdaptiveLimit {self.limit}>"

    @property
    def limit(self) -> int:
        return max(1, int(self._limit / 2)) if self._is_measuring else int(self._limit)

    @property
    def _is_measuring(self) -> bool:
        return self._rounds >= MEASURED_EVERY

    def reconfigure(self, most: int) -> None:
        """Never go above this from now on."""
        self._most = max(1, most)
        self._limit = min(self._limit, float(self._most))

    def answered(self, ttfb_s: float, in_flight: int) -> None:
        """Note how long a first byte took, and how much was in flight then."""
        self._round.append(ttfb_s)
        self._peak = max(self._peak, in_flight)
        if len(self._round) >= max(ROUND, self.limit):
            self._end_round(sum(self._round) / len(self._round))

    def failed(self) -> None:
        """Note that the upstream was too busy for a call, or too late; lowers the limit once in a round."""
        if not self._has_failed:
            self._has_failed = True
            self._lower()

    def _end_round(self, mean: float) -> None:
        self._rounds += 1
        if self._rounds == MEASURED_EVERY + 2:
            self._baseline, self._rounds = mean, 0
        elif self._rounds <= MEASURED_EVERY and not self._has_failed:
            self._adjust(mean)
        self._round.clear()
        self._peak = 0
        self._has_failed = False

    def _adjust(self, mean: float) -> None:
        self._baseline = min(self._baseline, mean)
        if mean > TOLERANCE * self._baseline:
            self._lower()
        elif self._peak * 2 > self._limit:
            self._limit = min(self._limit + 1, float(self._most))

    def _lower(self) -> None:
        self._limit = max(1.0, self._limit * BACKOFF)
