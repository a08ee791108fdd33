"""The metrics as text, in the form that Prometheus reads. Pure.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from actors import Counter, Histogram, Labels
from ucr import metering
from ucr.observe import gaps
from ucr.series import gauges_of, gauges_of_store
from ucr.views import Gathered

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Family:
    """All series of one name. `kind` is Prometheus's word for what they are."""

    name: str
    kind: str
    says: str


TOTALS = (
    Family(metering.EXCHANGES, "counter", "Exchanges of any kind that have ended, by outcome."),
    Family(metering.REQUESTS, "counter", "Requests to a model and those that failed, by who answered and how."),
    Family(metering.ATTEMPTS, "counter", "Upstream calls, by the provider that was asked last."),
    Family(metering.TOKENS, "counter", "Tokens, as the providers report them."),
    Family(metering.COST, "counter", "US dollars that requests have cost, where the price is known."),
    Family(metering.ERRORS, "counter", "Requests that failed or whose client left, by the type of the error."),
    Family(metering.TTFB, "histogram", "Time to the first byte of an answer."),
    Family(metering.DURATION, "histogram", "Time from the request to the end of its answer."),
    Family(metering.OVERHEAD, "histogram", "The router's own part of that time."),
    Family(gaps.NAME, "histogram", "Time between one part of content of a stream and the next."),
    Family("ucr_exchanges_started_total", "counter", "Exchanges of any kind that have begun."),
    Family("ucr_measurements_dropped_total", "counter", "Messages with measurements that found no room."),
    Family("ucr_actor_crashes_total", "counter", "Crashes of an actor."),
    Family("ucr_actor_restarts_total", "counter", "Starts of an actor after its first."),
    Family("ucr_mailbox_asks_total", "counter", "Asks of an actor, by how they ended."),
    Family("ucr_refusals_total", "counter", "Admissions that got no lease, by reason."),
    Family("ucr_retries_total", "counter", "Further attempts that the retry budget granted or refused."),
    Family("ucr_leases_total", "counter", "Leases of a provider that were settled, by outcome."),
    Family("ucr_leases_granted_total", "counter", "Leases that a provider has granted."),
    Family(
        "ucr_connections_total", "counter", "Uses of a provider's connections: opened, reused, stale, failed."
    ),
    Family(metering.SENT_AWAY, "counter", "Clients of the live feed that were too slow for it."),
    Family(metering.CUSTOM, "counter", "Questions to the custom router, by outcome."),
    Family(metering.LOOKUPS, "counter", "Requests that asked the cache of answers, by result."),
    Family("ucr_cache_stores_total", "counter", "Answers brought to the cache, by what became of them."),
    Family("ucr_cache_hot_hits_total", "counter", "Lookups that were answered by what a worker has at hand."),
    Family("ucr_cache_evictions_total", "counter", "Answers that had to go for others."),
)

GAUGES = (
    Family("ucr_open_requests", "gauge", "Exchanges under way."),
    Family("ucr_resident_memory_bytes", "gauge", "Resident memory of a worker."),
    Family("ucr_memory_pressure", "gauge", "0 calm, 1 tight, 2 shedding, 3 spent."),
    Family("ucr_provider_in_flight", "gauge", "Work at a provider."),
    Family("ucr_provider_waiting", "gauge", "Admissions that wait for a permit."),
    Family("ucr_provider_serving", "gauge", "1 while the provider's actor admits work, else 0."),
    Family("ucr_provider_limit", "gauge", "Work that may be at a provider at the moment."),
    Family("ucr_keys_cooling", "gauge", "Keys of a provider that rest."),
    Family("ucr_breaker_state", "gauge", "State of a breaker: 0 closed, 1 half-open, 2 open."),
    Family("ucr_pool_connections", "gauge", "Connections to a provider, idle and in use."),
    Family("ucr_mailbox_unanswered", "gauge", "Asks that an actor has not answered yet."),
    Family("ucr_mailbox_queued", "gauge", "Messages in an actor's queue."),
    Family("ucr_cache_entries", "gauge", "Answers in the cache."),
    Family("ucr_cache_bytes", "gauge", "Memory that they take."),
    Family("ucr_cache_hot_entries", "gauge", "Answers and counts that a worker has at hand."),
    Family("ucr_cache_hot_bytes", "gauge", "Memory that those take."),
    Family(
        "ucr_cache_backing", "gauge", "What the backing of the cache has counted since its process started."
    ),
)


def text(gathered: Gathered) -> bytes:
    """Return the whole page."""
    metrics = gathered.metrics
    lines: list[str] = []
    for family in TOTALS:
        counters = [_sample(counter) for counter in metrics.counters if counter.name == family.name]
        histograms = [one for one in metrics.histograms if one.name == family.name]
        lines += _family(family, [*counters, *chain.from_iterable(map(_histogram, histograms))])
    gauges = [gauge for view in gathered.workers for gauge in gauges_of(view)]
    gauges += () if gathered.store is None else gauges_of_store(gathered.store)
    for family in GAUGES:
        lines += _family(family, [_sample(gauge) for gauge in gauges if gauge.name == family.name])
    return ("\n".join(lines) + "\n").encode()


def _family(family: Family, samples: list[str]) -> list[str]:
    if not samples:
        return []
    return [f"# HELP {family.name} {family.says}", f"# TYPE {family.name} {family.kind}", *samples]


def _sample(counter: Counter) -> str:
    return f"{counter.name}{_labels(counter.labels)} {_number(counter.value)}"


def _histogram(histogram: Histogram) -> Iterator[str]:
    below = 0
    bounds = (*(_number(bound) for bound in histogram.bounds), "+Inf")
    for bound, count in zip(bounds, histogram.buckets, strict=True):
        below += count
        yield f"{histogram.name}_bucket{_labels((*histogram.labels, ('le', bound)))} {below}"
    yield f"{histogram.name}_sum{_labels(histogram.labels)} {_number(histogram.sum)}"
    yield f"{histogram.name}_count{_labels(histogram.labels)} {histogram.count}"


def _labels(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
