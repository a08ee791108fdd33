"""What `GET /debug/metrics` says: the router's numbers as one JSON object, over all workers and for each. Pure.

The names are those of the ancestor's answer, so that what reads it goes on; every number is measured, and what the
ancestor did not know stands beside its fields.
"""

from collections import Counter as Sums
from collections.abc import Iterable, Mapping
from typing import Any

from actors import MetricsSnapshot
from ucr import metering
from ucr.jsontext import JsonObject
from ucr.observe import footprint
from ucr.views import Gathered, WorkerView, cache_json, provider_statuses


def summary_json(gathered: Gathered) -> JsonObject:
    """Return the whole answer."""
    uptime_s = uptime(gathered)
    cache = cache_json(gathered)
    return {
        "performance": performance(gathered.metrics, uptime_s),
        "memory": _memory(_footprints(gathered)),
        "cache": _cache(cache),
        "uptime": round(uptime_s, 3),
        "breakers": {name: _breakers(status) for name, status in provider_statuses(gathered).items()},
        "workers": [_worker(view) for view in gathered.workers],
    }


def uptime(gathered: Gathered) -> float:
    """Return for how many seconds the router has run: its parent, or the one process that it is."""
    if gathered.parent is not None:
        return gathered.parent.uptime_s
    return max((view.uptime_s for view in gathered.workers), default=0.0)


def performance(metrics: MetricsSnapshot, uptime_s: float) -> JsonObject:
    """Return requests, latency and lookups of so many seconds. Latency is in milliseconds, rates are shares of 1."""
    total = metrics.total(metering.REQUESTS)
    errors = metrics.total(metering.ERRORS)
    gone = metrics.total(metering.ERRORS, type=metering.GONE)
    failed = errors - gone
    streaming = metrics.total(metering.REQUESTS, stream="true")
    durations = [one for one in metrics.histograms if one.name == metering.DURATION]
    counted = sum(one.count for one in durations)
    hits, misses = (metrics.total(metering.LOOKUPS, result=result) for result in ("hit", "miss"))
    return {
        "requests": {
            "total": int(total),
            "streaming": int(streaming),
            "nonStreaming": int(total - streaming),
            "errors": int(failed),
            "cancelled": int(gone),
        },
        "performance": {
            "avgLatency": _share(sum(one.sum for one in durations) * 1000, counted),
            "requestsPerSecond": _share(total, uptime_s),
            "errorRate": _share(failed, total),
        },
        "cache": {
            "hits": int(hits),
            "misses": int(misses),
            "hitRate": _share(hits, hits + misses),
            "coalesced": int(metrics.total(metering.LOOKUPS, result="coalesced")),
        },
    }


def _share(part: float, whole: float) -> float:
    return round(part / whole, 4) if whole else 0.0


def _footprints(gathered: Gathered) -> Iterable[Mapping[str, int]]:
    yield from (view.memory for view in gathered.workers)
    if gathered.parent is not None:
        yield gathered.parent.memory
    if gathered.store is not None:
        yield gathered.store.memory


def _memory(footprints: Iterable[Mapping[str, int]]) -> JsonObject:
    sums = Sums[str]()
    for one in footprints:
        sums.update(one)
    return {
        "heapUsed": sums[footprint.HEAP_USED],
        "heapTotal": sums[footprint.HEAP_TOTAL],
        "external": sums[footprint.EXTERNAL],
        "rss": sums[footprint.RSS],
    }


def _cache(cache: JsonObject) -> JsonObject:
    l1, l2 = cache["l1"], cache["l2"]
    return {
        "manager": {
            "hits": cache["hits"],
            "misses": cache["misses"],
            "hitRate": _share(cache["hits"], cache["hits"] + cache["misses"]),
            "l1Size": l1.get("entries", 0),
            "l2Size": l2.get("entries", 0),
        },
        "response": {"size": l2.get("entries", 0), "calculatedSize": l2.get("bytes", 0)},
        "metadata": {"tokenCountCacheSize": l2.get("derived", 0)},
    }


def _breakers(status: Mapping[str, Any]) -> JsonObject:
    """Return the state of the way to a provider, and of each of its models that has been asked for."""
    models = {model: one.get("state") for model, one in status.get("breakers", {}).items()}
    return {"state": status.get("breaker", {}).get("state"), "models": models}


def _worker(view: WorkerView) -> JsonObject:
    return {
        "worker": view.worker,
        "pid": view.pid,
        "state": view.state,
        "generation": view.generation,
        "uptime": round(view.uptime_s, 3),
        "openRequests": view.open_requests,
        "pressure": view.pressure,
        "memory": _memory((view.memory,)),
        "breakers": {name: _breakers(status) for name, status in view.providers.items()},
        **performance(view.metrics, view.uptime_s),
    }
