"""The series that nobody measures, because actors keep count themselves: read from a worker's view. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from actors import ChildStatistics, Count, Counter, Labels
from ucr.pressure import LEVELS
from ucr.views import StoreView, WorkerView

BREAKER_STATES = ("closed", "half_open", "open")


def gauges_of(view: WorkerView) -> Iterator[Counter]:
    """Give what goes up and down in a worker."""
    worker: Labels = (("worker", view.worker),)
    yield Counter("ucr_open_requests", worker, view.open_requests)
    yield Counter("ucr_resident_memory_bytes", worker, view.rss_bytes)
    yield Counter("ucr_memory_pressure", worker, LEVELS.index(view.pressure))
    for child in view.children:
        yield from _mailboxes(child, worker)
    for name, status in view.providers.items():
        yield from _provider(status, (*worker, ("provider", name)))
    if view.cache is not None:
        yield from _cache(view.cache, worker)
    if view.hot is not None:
        yield Counter("ucr_cache_hot_entries", worker, view.hot["entries"])
        yield Counter("ucr_cache_hot_bytes", worker, view.hot["bytes"])


def gauges_of_store(view: StoreView) -> Iterator[Counter]:
    """Give what goes up and down in the store process; it stands for a worker."""
    worker: Labels = (("worker", "store"),)
    yield Counter("ucr_resident_memory_bytes", worker, view.rss_bytes)
    for child in view.children:
        yield from _mailboxes(child, worker)
    if view.cache:
        yield from _cache(view.cache, worker)


def _cache(cache: dict[str, Any], worker: Labels) -> Iterator[Counter]:
    yield Counter("ucr_cache_entries", worker, cache["entries"])
    yield Counter("ucr_cache_bytes", worker, cache["bytes"])
    for name, amount in cache.get("backing", {}).items():
        yield Counter("ucr_cache_backing", (*worker, ("number", name)), amount)


def _mailboxes(child: ChildStatistics, worker: Labels) -> Iterator[Counter]:
    labels = (*worker, ("actor", child.name))
    if child.mailbox is not None:
        yield Counter("ucr_mailbox_unanswered", labels, child.mailbox.unanswered)
        yield Counter("ucr_mailbox_queued", labels, child.mailbox.queued)
    for below in child.children:
        yield from _mailboxes(below, worker)


def _provider(status: dict[str, Any], labels: Labels) -> Iterator[Counter]:
    yield Counter("ucr_provider_in_flight", labels, status.get("in_flight", 0))
    yield Counter("ucr_provider_waiting", labels, status.get("waiting", 0))
    yield Counter("ucr_provider_serving", labels, int(status.get("state") == "serving"))
    pool = status.get("pool")
    if pool is not None:
        yield Counter("ucr_pool_connections", (*labels, ("state", "idle")), pool["idle"])
        yield Counter("ucr_pool_connections", (*labels, ("state", "used")), pool["open"] - pool["idle"])
    yield Counter("ucr_provider_limit", labels, status.get("limit", 0))
    cooling = sum(1 for key in status.get("keys", ()) if key.get("cooling_in_s"))
    yield Counter("ucr_keys_cooling", labels, cooling)
    for model, breaker in {"": status.get("breaker", {}), **status.get("breakers", {})}.items():
        state = breaker.get("state")
        value = BREAKER_STATES.index(state) if state in BREAKER_STATES else 0
        yield Counter("ucr_breaker_state", (*labels, ("model", model)), value)


def totals_of(view: WorkerView) -> Iterator[Count]:
    """Give what only grows in a worker and is counted by its actors themselves."""
    for child in view.children:
        yield from _actor_totals(child)
    for name, status in view.providers.items():
        yield from _provider_totals(status, (("provider", name),))
    if view.cache is not None:
        for fate in ("stored", "too_large", "forfeited", "late"):
            yield Count("ucr_cache_stores_total", (("fate", fate),), view.cache[fate])
        yield Count("ucr_cache_evictions_total", (), view.cache["evicted"])
    if view.hot is not None:
        yield Count("ucr_cache_hot_hits_total", (), view.hot["hits"])


def _actor_totals(child: ChildStatistics) -> Iterator[Count]:
    labels: Labels = (("actor", child.name),)
    yield Count("ucr_actor_crashes_total", labels, child.crashes)
    yield Count("ucr_actor_restarts_total", labels, child.restarts)
    if child.mailbox is not None:
        for end in ("answered", "refused", "failed", "abandoned", "full"):
            amount = getattr(child.mailbox, end)
            yield Count("ucr_mailbox_asks_total", (*labels, ("end", end)), amount)
    for below in child.children:
        yield from _actor_totals(below)


def _provider_totals(status: dict[str, Any], labels: Labels) -> Iterator[Count]:
    yield Count("ucr_leases_granted_total", labels, status.get("granted", 0))
    outcomes = {"success": status.get("succeeded", 0), "abandoned": status.get("abandoned", 0)}
    for outcome, amount in {**outcomes, **status.get("failures", {})}.items():
        yield Count("ucr_leases_total", (*labels, ("outcome", outcome)), amount)
    for reason, amount in status.get("shed", {}).items():
        yield Count("ucr_refusals_total", (*labels, ("reason", reason)), amount)
    for result in ("granted", "refused"):
        amount = status.get("retries_spent" if result == "granted" else "retries_refused", 0)
        yield Count("ucr_retries_total", (*labels, ("result", result)), amount)
    for use in ("opened", "reused", "stale", "failed"):
        if use in (status.get("pool") or {}):
            yield Count("ucr_connections_total", (*labels, ("use", use)), status["pool"][use])


class Ratchet:
    """Keeps totals from falling when what counted them is replaced by something that begins at zero."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, Labels], float] = {}
        self._before: dict[tuple[str, Labels], float] = {}

    def __repr__(self) -> str:
        return f"<Ratchet of {len(self._last)} series>"

    def held(self, counts: Iterable[Count]) -> tuple[Count, ...]:
        """Return the totals over all that have counted so far, also of those that count no more."""
        for count in counts:
            key = (count.name, count.labels)
            last = self._last.get(key, 0)
            if count.amount < last:
                self._before[key] = self._before.get(key, 0) + last
            self._last[key] = count.amount
        return tuple(Count(*key, self._before.get(key, 0) + last) for key, last in self._last.items())


def without_number(count: Count) -> Count:
    """Return a count under the first name of its actor: `groq@2` goes on what `groq` began."""
    labels = tuple((name, value.split("@")[0] if name == "actor" else value) for name, value in count.labels)
    return replace(count, labels=labels)
