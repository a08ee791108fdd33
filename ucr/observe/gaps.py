"""How long the pauses within streams are: the time between one part of content and the next. Pure.

How this works. A stream may bring hundreds of parts, and a message to the metrics' actor for each would cost more than
the part itself. So a stream counts its pauses straight into the buckets of its provider, which belong to the worker,
and whoever takes a view reads them there.
"""

from bisect import bisect_left

from actors import Histogram

NAME = "ucr_stream_gap_seconds"
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
OTHER = "other"
MAX_PROVIDERS = 200
"""How many providers have buckets of their own; those of later configurations share one."""


class Buckets:
    """The pauses of one provider's streams. They only grow."""

    __slots__ = ("counts", "sum_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.sum_s = 0.0


class Gaps:
    """The pauses of all streams of a worker, by provider."""

    def __init__(self) -> None:
        self._providers: dict[str, Buckets] = {}

    def __repr__(self) -> str:
        return f"<Gaps of {len(self._providers)} providers>"

    def stream(self, provider: str) -> "StreamGaps":
        """Return what a new stream of this provider tells of its content."""
        buckets = self._providers.get(provider)
        if buckets is None:
            name = provider if len(self._providers) < MAX_PROVIDERS else OTHER
            buckets = self._providers.setdefault(name, Buckets())
        return StreamGaps(buckets)

    def seen(self) -> tuple[Histogram, ...]:
        """Return all that has been counted, in the order of the providers."""
        return tuple(
            Histogram(NAME, (("provider", name),), BOUNDS, tuple(one.counts), one.sum_s)
            for name, one in sorted(self._providers.items())
        )


class StreamGaps:
    """One stream. Its first content begins no pause's end: that time is the one to the first byte."""

    __slots__ = ("_buckets", "_events", "_last_s")

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._events = 0
        self._last_s = 0.0

    def saw(self, events: int, now_s: float) -> None:
        """Count the pause before `now_s`, when so many events of content have come in all; none new is no content."""
        if events != self._events:
            if self._events:
                gap_s = now_s - self._last_s
                self._buckets.counts[bisect_left(BOUNDS, gap_s)] += 1
                self._buckets.sum_s += gap_s
            self._events, self._last_s = events, now_s
