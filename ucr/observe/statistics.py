"""How the router does at the moment: what the live feed tells each second. Pure.

Rates are those of the last ten seconds, percentiles those of the last minute: both are differences of totals, so that
whoever begins to listen needs no measurements of his own. Totals may fall: a worker that does not answer in time is
missing from them. What would be less than nothing is then nothing.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from actors import Histogram, MetricsSnapshot
from ucr import metering
from ucr.jsontext import JsonObject
from ucr.observe import gaps
from ucr.observe.summary import uptime
from ucr.views import Gathered, cache_json, provider_statuses

RATE_S = 10.0
PERCENTILES_S = 60.0
PERCENTILES = (50, 95, 99)
TIMES = (
    ("ttfb", metering.TTFB),
    ("total", metering.DURATION),
    ("overhead", metering.OVERHEAD),
    ("gap", gaps.NAME),
)

Buckets = tuple[tuple[float, ...], tuple[int, ...]]
"""The bounds of a histogram, and its counts."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """The totals at one moment: by provider, and the histograms of times by their short names."""

    at_s: float
    requests: Mapping[str, float]
    errors: Mapping[str, float]
    tokens: float
    times: Mapping[str, Buckets]


class Window:
    """The totals of the last minute."""

    def __init__(self) -> None:
        self._marks: deque[_Mark] = deque()

    def __repr__(self) -> str:
        return f"<Window of {len(self._marks)} marks>"

    def statistics(self, gathered: Gathered, now_s: float) -> JsonObject:
        """Return how things are; what is measured over time is null when this is asked for the first time."""
        metrics = gathered.metrics
        mark = _mark(metrics, now_s)
        while self._marks and self._marks[0].at_s < now_s - PERCENTILES_S:
            self._marks.popleft()
        first = self._marks[0] if self._marks else mark
        recent = next((one for one in self._marks if one.at_s >= now_s - RATE_S), mark)
        self._marks.append(mark)
        errors = sum(mark.errors.values())
        return {
            "uptime_s": round(uptime(gathered), 1),
            "requests": {
                "total": int(sum(mark.requests.values())),
                "open": sum(view.open_requests for view in gathered.workers),
                "per_s": _rate(sum(mark.requests.values()), sum(recent.requests.values()), mark, recent),
                "errors": int(errors),
                "errors_per_s": _rate(errors, sum(recent.errors.values()), mark, recent),
            },
            "tokens_per_s": _rate(mark.tokens, recent.tokens, mark, recent),
            "cost_usd": round(metrics.total(metering.COST), 6),
            "times_ms": {name: _percentiles(mark.times[name], first.times[name]) for name, _ in TIMES},
            "cache": _cache(gathered),
            "providers": _providers(gathered, mark, recent),
            "workers": _workers(gathered),
        }


def _mark(metrics: MetricsSnapshot, now_s: float) -> _Mark:
    return _Mark(
        now_s,
        _by_provider(metrics, metering.REQUESTS),
        _by_provider(metrics, metering.ERRORS, frozenset({("type", metering.GONE)})),
        metrics.total(metering.TOKENS),
        {short: _together(one for one in metrics.histograms if one.name == name) for short, name in TIMES},
    )


def _by_provider(
    metrics: MetricsSnapshot, name: str, but: frozenset[tuple[str, str]] = frozenset()
) -> dict[str, float]:
    sums: dict[str, float] = {}
    for counter in metrics.counters:
        if counter.name == name and not but.intersection(counter.labels):
            provider = dict(counter.labels).get("provider", "")
            sums[provider] = sums.get(provider, 0) + counter.value
    return sums


def _together(histograms: Iterable[Histogram]) -> Buckets:
    bounds: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    for one in histograms:
        if not bounds:
            bounds, counts = one.bounds, one.buckets
        elif one.bounds == bounds:
            counts = tuple(a + b for a, b in zip(counts, one.buckets, strict=True))
    return bounds, counts


def _rate(now: float, then: float, mark: _Mark, before: _Mark) -> float | None:
    passed_s = mark.at_s - before.at_s
    return None if passed_s <= 0 else round(max(0.0, now - then) / passed_s, 3)


def _percentiles(now: Buckets, then: Buckets) -> JsonObject:
    before = then[1] if then[0] == now[0] else (0,) * len(now[1])
    counts = [max(0, a - b) for a, b in zip(now[1], before, strict=True)]
    return {f"p{percent}": percentile(now[0], counts, percent) for percent in PERCENTILES}


def percentile(bounds: tuple[float, ...], counts: Iterable[int], percent: float) -> float | None:
    """Return a percentile of a histogram in milliseconds, as if its buckets were filled evenly; None of nothing.

    What lies above all bounds is told as the last of them.
    """
    counted = list(counts)
    wanted = sum(counted) * percent / 100
    below = 0
    if not wanted:
        return None
    for index, count in enumerate(counted[: len(bounds)]):
        if count and below + count >= wanted:
            low = bounds[index - 1] if index else 0.0
            return round((low + (bounds[index] - low) * (wanted - below) / count) * 1000, 3)
        below += count
    return round(bounds[-1] * 1000, 3)


def _cache(gathered: Gathered) -> JsonObject:
    found = cache_json(gathered)
    return {name: found[name] for name in ("enabled", "entries", "bytes", "hits", "misses", "hit_rate")}


def _providers(gathered: Gathered, mark: _Mark, recent: _Mark) -> JsonObject:
    told = {}
    for name, status in provider_statuses(gathered).items():
        requests, errors = mark.requests.get(name, 0), mark.errors.get(name, 0)
        told[name] = {
            "state": status.get("state"),
            "breaker": breaker_of(status),
            "in_flight": status.get("in_flight", 0),
            "waiting": status.get("waiting", 0),
            "limit": status.get("limit", 0),
            "requests": int(requests),
            "errors": int(errors),
            "per_s": _rate(requests, recent.requests.get(name, 0), mark, recent),
        }
    return told


def breaker_of(status: Mapping[str, Any]) -> str:
    """Return the gravest state of a provider's breakers: the one of the way to it, and those of its models."""
    states = [status.get("breaker", {}).get("state")]
    states += [one.get("state") for one in status.get("breakers", {}).values()]
    return next((state for state in ("open", "half_open") if state in states), "closed")


def _workers(gathered: Gathered) -> list[JsonObject]:
    return [
        {
            "worker": view.worker,
            "pid": view.pid,
            "state": view.state,
            "open_requests": view.open_requests,
            "rss_bytes": view.rss_bytes,
            "pressure": view.pressure,
        }
        for view in gathered.workers
    ]
