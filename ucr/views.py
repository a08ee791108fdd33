"""What one sees of the whole router: a view of each worker, and what they come to together. Pure.

A view is plain data that can travel to another process. What only grows is in its `metrics`, so that the totals
of a worker that is gone can be kept; the rest says how things are now.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from actors import ChildStatistics, MetricsSnapshot, merged
from ucr.jsontext import JsonObject
from ucr.pressure import Level

GRAVEST_FIRST = (
    "stopped",
    "restarting",
    "draining",
    "open",
    "half_open",
    "cooling",
    "closed",
    "serving",
)
"""Of the states that several workers report of one thing, the first that is among them is told."""

CACHE = "ucr:cache"
"""The name of the cache's actor, which no provider can have."""

LIMITS = "ucr:limits"
"""The name of the lender's actor."""

BOOKS = "ucr:books"
"""The name of the actor that keeps the accounts."""

STATE = "ucr:state"
"""The name of the actor that keeps the vault."""
JOURNAL = "ucr:journal"
"""The name of the actor that keeps the journal."""

_TIME_ENDINGS = ("_until", "_at")


@dataclass(frozen=True, slots=True)
class WorkerView:
    """One worker at one moment. `providers` and `cache` are what their actors say of themselves, as plain data, and
    `hot` what the hot tier of the cache says; `kept` what the keeper of the vault says, where it has its own.

    `state` is `serving` or `draining`; a parent that has lost touch with a worker says `stalled`. `pressure` says how
    short it is of memory, and `memory` what it has, by kind (`ucr.observe.footprint`).
    """

    worker: str
    pid: int
    generation: int = 1
    state: str = "serving"
    rss_bytes: int = 0
    open_requests: int = 0
    children: tuple[ChildStatistics, ...] = ()
    providers: dict[str, Any] = field(default_factory=dict)
    cache: dict[str, Any] | None = None
    metrics: MetricsSnapshot = field(default_factory=MetricsSnapshot)
    pressure: Level = "calm"
    hot: dict[str, Any] | None = None
    uptime_s: float = 0.0
    memory: dict[str, int] = field(default_factory=dict)
    kept: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RequestCount:
    """What a worker's edge says of its exchanges: how many began, how many are under way."""

    started: int
    open: int
    generation: int = 1
    state: str = "serving"
    pressure: Level = "calm"


@dataclass(frozen=True, slots=True)
class ParentView:
    """The parent at one moment; its children are the slots of the workers."""

    pid: int
    generation: int = 1
    state: str = "serving"
    rss_bytes: int = 0
    children: tuple[ChildStatistics, ...] = ()
    uptime_s: float = 0.0
    memory: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoreView:
    """The store process at one moment. What its actors say of themselves is in the fields that are called as they."""

    pid: int
    generation: int
    rss_bytes: int = 0
    children: tuple[ChildStatistics, ...] = ()
    limits: dict[str, Any] = field(default_factory=dict)
    cache: dict[str, Any] = field(default_factory=dict)
    books: dict[str, Any] = field(default_factory=dict)
    journal: dict[str, Any] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gathered:
    """All workers at one moment; `retired` holds the totals of those that are gone."""

    workers: tuple[WorkerView, ...]
    parent: ParentView | None = None
    retired: MetricsSnapshot = field(default_factory=MetricsSnapshot)
    store: StoreView | None = None

    @property
    def metrics(self) -> MetricsSnapshot:
        return merged(self.retired, *(view.metrics for view in self.workers))


def plain(value: Any, now: float) -> Any:
    """Return a value as JSON data: dataclasses and mappings as objects.

    A time of this process's clock (`opened_until`, `retry_at`) becomes what is left until then (`opened_in_s`).
    """
    if is_dataclass(value) and not isinstance(value, type):
        return _pairs(((entry.name, getattr(value, entry.name)) for entry in fields(value)), now)
    if isinstance(value, Mapping):
        return _pairs(((str(key), item) for key, item in value.items()), now)
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item, now) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _pairs(pairs: Iterable[tuple[str, Any]], now: float) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        ending = next((end for end in _TIME_ENDINGS if name.endswith(end)), None)
        if ending is not None and (value is None or isinstance(value, int | float)):
            left = None if value is None else round(max(0.0, value - now), 3)
            result[f"{name.removesuffix(ending)}_in_s"] = left
        else:
            result[name] = plain(value, now)
    return result


def together(values: Iterable[Any], name: str = "") -> Any:
    """Return what the values of several workers come to.

    Numbers are added up, but for times that are left, of which the longest counts; states become the gravest.
    """
    known = [value for value in values if value is not None]
    if not known:
        return None
    first = known[0]
    if isinstance(first, Mapping):
        names = dict.fromkeys(key for value in known for key in value)
        return {key: together([value.get(key) for value in known], key) for key in names}
    if isinstance(first, list):
        longest = max(len(value) for value in known)
        columns = ([value[at] for value in known if at < len(value)] for at in range(longest))
        return [together(column, name) for column in columns]
    if isinstance(first, bool):
        return any(known)
    if isinstance(first, int | float):
        return max(known) if name.endswith("_in_s") else sum(known)
    return min(known, key=_gravity)


def _gravity(state: str) -> tuple[int, str]:
    known = state in GRAVEST_FIRST
    return (GRAVEST_FIRST.index(state) if known else len(GRAVEST_FIRST), state)


def provider_statuses(gathered: Gathered) -> dict[str, JsonObject]:
    """Return the status of each provider over all workers, and what each worker says."""
    names = dict.fromkeys(name for view in gathered.workers for name in view.providers)
    statuses = {}
    for name in names:
        by_worker = {view.worker: view.providers[name] for view in gathered.workers if name in view.providers}
        whole = together(by_worker.values())
        statuses[name] = whole if len(by_worker) < 2 else {**whole, "workers": by_worker}
    return statuses


def cache_json(gathered: Gathered) -> JsonObject:
    """Return what `GET /cache/stats` says: `l1` is the hot tier of all workers, `l2` the cache behind it."""
    views = [view for view in gathered.workers if view.hot is not None]
    own = [view.cache for view in views if view.cache is not None]
    shared = {} if gathered.store is None or not views else gathered.store.cache
    l2 = together(own) or shared
    l1 = together(view.hot for view in views) or {}
    hits = l1.get("hits", 0) + l2.get("hits", 0)
    misses = l2.get("misses", 0) + l2.get("busy", 0)
    return {
        "enabled": bool(views),
        "scope": "node" if views and not own else "worker",
        "entries": l2.get("entries", 0),
        "bytes": l2.get("bytes", 0),
        "hits": hits,
        "misses": misses,
        "hit_rate": round(hits / (hits + misses), 4) if hits + misses else None,
        "l1": l1,
        "l2": l2,
        "workers": {view.worker: {"l1": view.hot, "l2": view.cache} for view in views},
    }


def tree_json(gathered: Gathered) -> JsonObject:
    """Return what `GET /admin/tree` says."""
    parent = gathered.parent
    return {
        "parent": None
        if parent is None
        else {
            "pid": parent.pid,
            "state": parent.state,
            "generation": parent.generation,
            "rss_bytes": parent.rss_bytes,
            "children": [_child(child, {}) for child in parent.children],
        },
        "workers": [_worker(view) for view in gathered.workers],
        "store": None if gathered.store is None else _store(gathered.store),
    }


def _store(view: StoreView) -> JsonObject:
    statistics = {
        CACHE: view.cache,
        LIMITS: view.limits,
        BOOKS: view.books,
        STATE: view.state,
        JOURNAL: view.journal,
    }
    return {
        "pid": view.pid,
        "generation": view.generation,
        "rss_bytes": view.rss_bytes,
        "children": [_child(child, statistics) for child in view.children],
    }


def _worker(view: WorkerView) -> JsonObject:
    own = {CACHE: view.cache, STATE: view.kept}
    statistics = {**view.providers, **{name: one for name, one in own.items() if one is not None}}
    return {
        "worker": view.worker,
        "pid": view.pid,
        "state": view.state,
        "generation": view.generation,
        "rss_bytes": view.rss_bytes,
        "pressure": view.pressure,
        "open_requests": view.open_requests,
        "children": [_child(child, statistics) for child in view.children],
    }


def _child(child: ChildStatistics, statistics: Mapping[str, Any]) -> JsonObject:
    shown: JsonObject = {
        "name": child.name,
        "state": child.state,
        "crashes": child.crashes,
        "restarts": child.restarts,
        "restart": child.restart,
        "essential": child.essential,
    }
    if child.mailbox is not None:
        shown["mailbox"] = plain(child.mailbox, 0.0)
    if child.children:
        shown["children"] = [_child(below, statistics) for below in child.children]
    if child.name in statistics:
        shown["statistics"] = statistics[child.name]
    return shown
