from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from actors import ChildStatistics, Counter, MailboxStatistics, MetricsSnapshot
from ucr.views import (
    Gathered,
    ParentView,
    WorkerView,
    cache_json,
    plain,
    provider_statuses,
    together,
    tree_json,
)

MAILBOX = MailboxStatistics(1, 2, 9, False, 8, 3, 1, 1, 1, 0, 0, 0)
CACHE = {"entries": 2, "bytes": 10, "hits": 3, "misses": 1, "busy": 0}


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
    told = cache_json(Gathered((view("0"), view("1"))))
    assert (told["enabled"], told["entries"], told["hits"], told["hit_rate"]) == (True, 4, 6, 0.75)
    assert told["workers"]["1"] == CACHE
    nothing = cache_json(Gathered((view("0", cache=None),)))
    assert nothing == {"enabled": False, "scope": "worker", "hit_rate": None, "workers": {}}


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
