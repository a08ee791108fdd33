from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from actors import ChildStatistics, Counter, MailboxStatistics, MetricsSnapshot
from ucr.views import (
    Gathered,
    ParentView,
    StoreView,
    WorkerView,
    cache_json,
    plain,
    provider_statuses,
    together,
    tree_json,
)

MAILBOX = MailboxStatistics(1, 2, 9, False, 8, 3, 1, 1, 1, 0, 0, 0)
CACHE = {"entries": 2, "bytes": 10, "hits": 3, "misses": 1, "busy": 0}
HOT = {"entries": 1, "bytes": 5, "hits": 4, "misses": 4, "evicted": 0}


@dataclass(frozen=True)
class Breaker:
    state: str
    opened_until: float | None


def view(worker: str, **changes: Any) -> WorkerView:
    children = (
        ChildStatistics("groq", "running", 1, 2, mailbox=MAILBOX),
        ChildStatistics("ucr:cache", "running", 0, 0, mailbox=MAILBOX),
    )
    fields: dict[str, Any] = {
        "children": children,
        "providers": {"groq": {"state": "serving", "in_flight": 2}},
        "cache": CACHE,
        "metrics": MetricsSnapshot((Counter("calls", (), 3),)),
    }
    return WorkerView(worker, 100 + int(worker), **{**fields, **changes})


def test_what_travels_comes_back_the_same() -> None:
    parent = ParentView(99, children=(ChildStatistics("0", "backing_off", 1, 1),))
    gathered = Gathered((view("0"), view("1", cache=None)), parent, MetricsSnapshot())
    sent = msgspec.msgpack.encode(gathered)
    assert msgspec.msgpack.decode(sent, type=Gathered) == gathered


def test_a_time_of_this_process_becomes_what_is_left_until_then() -> None:
    status = MappingProxyType({"m": Breaker("open", 107.25), "n": Breaker("closed", None)})
    assert plain(status, 100.0) == {
        "m": {"state": "open", "opened_in_s": 7.25},
        "n": {"state": "closed", "opened_in_s": None},
    }
    assert plain({"retry_at": 90.0, "keys": ({1}, b"x")}, 100.0) == {"retry_in_s": 0.0, "keys": [[1], "b'x'"]}


@pytest.mark.parametrize(
    ("values", "whole"),
    [
        ([1, 2, None], 3),
        ([None, None], None),
        ([True, False], True),
        (["serving", "draining"], "draining"),
        (["closed", "open", "half_open"], "open"),
        (["b", "a"], "a"),
        ([[1, 2], [3]], [4, 2]),
        ([{"a": 1}, {"a": 2, "b": {"c": 1}}], {"a": 3, "b": {"c": 1}}),
        ([{"opened_in_s": 3.0}, {"opened_in_s": 5.0}, {"opened_in_s": None}], {"opened_in_s": 5.0}),
    ],
)
def test_several_workers_come_to_one(values: list[Any], whole: Any) -> None:
    assert together(values) == whole


def test_a_provider_is_told_as_a_whole_and_by_worker() -> None:
    draining = {"groq": {"state": "draining", "in_flight": 1}}
    assert provider_statuses(Gathered((view("0"),))) == {"groq": {"state": "serving", "in_flight": 2}}
    both = provider_statuses(Gathered((view("0"), view("1", providers=draining))))["groq"]
    assert (both["state"], both["in_flight"]) == ("draining", 3)
    assert both["workers"]["1"] == draining["groq"]


def test_the_caches_of_all_workers_are_added_up() -> None:
    told = cache_json(Gathered((view("0", hot=HOT), view("1", hot=HOT))))
    assert (told["enabled"], told["scope"], told["entries"], told["bytes"]) == (True, "worker", 4, 20)
    assert (told["hits"], told["misses"], told["hit_rate"]) == (14, 2, 0.875)
    assert (told["l1"]["hits"], told["l2"]["hits"]) == (8, 6)
    assert told["workers"]["1"] == {"l1": HOT, "l2": CACHE}


def test_the_cache_of_the_store_stands_behind_the_hot_tiers_of_the_workers() -> None:
    workers = (view("0", cache=None, hot=HOT), view("1", cache=None, hot=HOT))
    told = cache_json(Gathered(workers, store=StoreView(7, 1, cache=CACHE)))
    assert (told["scope"], told["entries"], told["hits"], told["misses"]) == ("node", 2, 11, 1)
    assert (told["l2"], told["workers"]["0"]) == (CACHE, {"l1": HOT, "l2": None})
    silent = cache_json(Gathered(workers))
    assert (silent["scope"], silent["hits"], silent["entries"]) == ("node", 8, 0)


def test_without_a_cache_there_is_nothing_to_tell() -> None:
    told = cache_json(Gathered((view("0", cache=None),), store=StoreView(7, 1, cache=CACHE)))
    assert (told["enabled"], told["hit_rate"], told["l1"], told["l2"], told["workers"]) == (
        False,
        None,
        {},
        {},
        {},
    )


def test_totals_of_workers_that_are_gone_still_count() -> None:
    gone = MetricsSnapshot((Counter("calls", (), 4),))
    assert Gathered((view("0"), view("1")), None, gone).metrics.total("calls") == 10


def test_the_tree_shows_every_actor_with_its_mailbox_and_statistics() -> None:
    branch = ChildStatistics("below", "running", 0, 0, children=(ChildStatistics("x", "given_up", 6, 5),))
    parent = ParentView(99, children=(branch,))
    told = tree_json(Gathered((view("0"),), parent))
    assert told["parent"]["children"][0]["children"][0]["state"] == "given_up"
    (worker,) = told["workers"]
    groq, cache = worker["children"]
    assert (worker["pid"], worker["state"]) == (100, "serving")
    assert (groq["name"], groq["restarts"], groq["mailbox"]["queued"]) == ("groq", 2, 1)
    assert groq["statistics"] == {"state": "serving", "in_flight": 2}
    assert cache["statistics"] == CACHE
    assert tree_json(Gathered(()))["parent"] is None
