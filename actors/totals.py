"""Totals: counters and histograms by name and labels, and what one sees of them at one moment.

Pure. Totals only grow. The number of series of one name is bounded: what comes with still another set of labels
is counted under the label value "other". Snapshots of several processes can be added up.

How this works. Who counts the same things again and again makes a `Tally` once, which names their series, and then
sends amounts alone, of any number of events at once. The totals look the series of a tally up when they meet it first,
and find them again by the tally itself, so that no name and no label is hashed for an event.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Labels = tuple[tuple[str, str], ...]
"""Pairs of name and value, always in the same order for one name of a metric."""

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Upper bounds of the buckets of a histogram that has none of its own."""

OTHER = "other"
MAX_TALLIES = 1000
"""How many tallies are found again at once; of more than that, all are looked up anew."""


@dataclass(frozen=True, slots=True)
class Count:
    """So much more of something."""

    name: str
    labels: Labels = ()
    amount: float = 1


@dataclass(frozen=True, slots=True)
class Observation:
    """One measured value."""

    name: str
    value: float
    labels: Labels = ()


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """The series to which one kind of event adds, in order: counters, then histograms, by name and labels.

    It is equal to itself alone: make it once and keep it.
    """

    counters: tuple[tuple[str, Labels], ...]
    histograms: tuple[tuple[str, Labels], ...] = ()


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter at one moment."""

    name: str
    labels: Labels
    value: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """A histogram at one moment. `buckets` counts per bucket, not summed up; one more holds what is above all."""

    name: str
    labels: Labels
    bounds: tuple[float, ...]
    buckets: tuple[int, ...]
    sum: float

    @property
    def count(self) -> int:
        return sum(self.buckets)


@dataclass(frozen=True, slots=True)
class MetricsSnapshot:
    """Everything at one moment, in the order of names and labels."""

    counters: tuple[Counter, ...] = ()
    histograms: tuple[Histogram, ...] = ()

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of the counters of this name that have at least these labels."""
        wanted = set(labels.items())
        return sum(c.value for c in self.counters if c.name == name and wanted <= set(c.labels))


class Totals:
    """What has been counted so far. `bounds` gives a histogram other buckets than `SECONDS`, by name."""

    def __init__(
        self, *, bounds: Mapping[str, tuple[float, ...]] | None = None, max_series: int = 1000
    ) -> None:
        self._bounds = dict(bounds or {})
        self._max_series = max_series
        self._counters: dict[tuple[str, Labels], _Sum] = {}
        self._histograms: dict[tuple[str, Labels], _Buckets] = {}
        self._series: dict[str, int] = {}
        self._tallies: dict[Tally, _Series] = {}

    def __repr__(self) -> str:
        return f"<Totals {len(self._counters)} counters, {len(self._histograms)} histograms>"

    def add(self, counts: Iterable[Count], observations: Iterable[Observation] = ()) -> None:
        """Add what one event brings."""
        for count in counts:
            self._counter(count.name, count.labels).value += count.amount
        for seen in observations:
            self._histogram(seen.name, seen.labels).add(seen.value)

    def add_up(self, tally: Tally, amounts: Sequence[float], values: Sequence[Sequence[float]] = ()) -> None:
        """Add one amount to each counter of the tally, and any number of values to each of its histograms."""
        counters, histograms = self._tallies.get(tally) or self._opened(tally)
        for counter, amount in zip(counters, amounts, strict=True):
            counter.value += amount
        for histogram, seen in zip(histograms, values, strict=True):
            counts, bounds = histogram.counts, histogram.bounds
            for value in seen:
                counts[bisect_left(bounds, value)] += 1
            histogram.sum += sum(seen)

    def _opened(self, tally: Tally) -> "_Series":
        """Return the series of a tally that was not met before, or is forgotten."""
        if len(self._tallies) >= MAX_TALLIES:
            self._tallies.clear()
        counters = tuple(self._counter(name, labels) for name, labels in tally.counters)
        histograms = tuple(self._histogram(name, labels) for name, labels in tally.histograms)
        series = self._tallies[tally] = (counters, histograms)
        return series

    def _counter(self, name: str, labels: Labels) -> "_Sum":
        key = self._key(name, labels, self._counters)
        if (counter := self._counters.get(key)) is None:
            counter = self._counters[key] = _Sum()
        return counter

    def _histogram(self, name: str, labels: Labels) -> "_Buckets":
        key = self._key(name, labels, self._histograms)
        if (histogram := self._histograms.get(key)) is None:
            histogram = self._histograms[key] = _Buckets(self._bounds.get(name, SECONDS))
        return histogram

    def _key(self, name: str, labels: Labels, known: Mapping[tuple[str, Labels], object]) -> tuple[str, Labels]:
        key = (name, labels)
        if key in known:
            return key
        series = self._series.get(name, 0)
        if series >= self._max_series:
            return name, tuple((label, OTHER) for label, _ in labels)
        self._series[name] = series + 1
        return key

    def snapshot(self) -> MetricsSnapshot:
        return MetricsSnapshot(
            tuple(Counter(*key, self._counters[key].value) for key in sorted(self._counters)),
            tuple(self._histograms[key].seen(*key) for key in sorted(self._histograms)),
        )


class _Sum:
    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0


class _Buckets:
    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def seen(self, name: str, labels: Labels) -> Histogram:
        return Histogram(name, labels, self.bounds, tuple(self.counts), self.sum)


_Series = tuple[tuple[_Sum, ...], tuple[_Buckets, ...]]


def merged(*snapshots: MetricsSnapshot) -> MetricsSnapshot:
    """Add up what several processes counted. Histograms of other buckets than the first one's are left out."""
    counters: dict[tuple[str, Labels], float] = {}
    histograms: dict[tuple[str, Labels], Histogram] = {}
    for snapshot in snapshots:
        for counter in snapshot.counters:
            key = (counter.name, counter.labels)
            counters[key] = counters.get(key, 0) + counter.value
        for histogram in snapshot.histograms:
            key = (histogram.name, histogram.labels)
            histograms[key] = _sum(histograms[key], histogram) if key in histograms else histogram
    return MetricsSnapshot(
        tuple(Counter(*key, value) for key, value in sorted(counters.items())),
        tuple(histograms[key] for key in sorted(histograms)),
    )


def _sum(a: Histogram, b: Histogram) -> Histogram:
    if a.bounds != b.bounds:
        return a
    buckets = tuple(x + y for x, y in zip(a.buckets, b.buckets, strict=True))
    return Histogram(a.name, a.labels, a.bounds, buckets, a.sum + b.sum)
