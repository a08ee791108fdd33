from dataclasses import replace
from typing import Any

import pytest
import trio

from actors import Counter, Histogram, MetricsSnapshot
from tests.world import answers
from tests.world.router import World, config_of, open_router, provider
from ucr.config.model import Cache
from ucr.observe.summary import summary_json, uptime
from ucr.stress.failing import faults
from ucr.views import Gathered, ParentView, StoreView, WorkerView

ASK = {"model": "claude-x", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
CONFIG = config_of(provider("up", "anthropic", models=("claude-x",)), cache=Cache())
REPLY = answers.says(200, answers.anthropic_reply())
COUNT = answers.says(200, {"input_tokens": 7})
BROKEN = answers.says(400, {"type": "error", "error": {"type": "invalid_request_error", "message": "no"}})
both_lanes = pytest.mark.usefixtures("both_lanes")

MEMORY = {"heap_used_bytes": 3, "heap_total_bytes": 5, "external_bytes": 2, "rss_bytes": 5}
BREAKERS = {"up": {"breaker": {"state": "closed"}, "breakers": {"m": {"state": "open"}}}}


def requests(stream: str, count: float) -> Counter:
    return Counter("ucr_requests_total", (("provider", "up"), ("stream", stream)), count)


def errors(kind: str, count: float) -> Counter:
    return Counter("ucr_request_errors_total", (("provider", "up"), ("type", kind)), count)


def view(worker: str, **changes: Any) -> WorkerView:
    counters = (requests("true", 6), requests("false", 2), errors("api_error", 1), errors("client_gone", 1))
    took = Histogram("ucr_request_duration_seconds", (), (1.0,), (6, 2), 4.0)
    metrics = MetricsSnapshot(counters, (took,))
    made = WorkerView(worker, 7, uptime_s=10.0, memory=MEMORY, metrics=metrics, providers=BREAKERS)
    return replace(made, **changes)


async def summary(world: World) -> Any:
    return (await world.ask("/debug/metrics", method="GET")).json()


def test_numbers_are_totals_over_all_workers_and_those_that_are_gone() -> None:
    parent = ParentView(1, uptime_s=20.0, memory=MEMORY)
    retired = MetricsSnapshot((requests("false", 4),))
    store = StoreView(2, 1, memory=MEMORY)
    told = summary_json(Gathered((view("0"), view("1")), parent, retired, store))
    assert told["performance"] == {
        "requests": {"total": 20, "streaming": 12, "nonStreaming": 8, "errors": 2, "cancelled": 2},
        "performance": {"avgLatency": 500.0, "requestsPerSecond": 1.0, "errorRate": 0.1},
        "cache": {"hits": 0, "misses": 0, "hitRate": 0.0, "coalesced": 0},
    }
    assert told["memory"] == {"heapUsed": 12, "heapTotal": 20, "external": 8, "rss": 20}
    assert told["uptime"] == 20.0
    assert [one["requests"]["total"] for one in told["workers"]] == [8, 8]
    assert told["workers"][0]["memory"]["rss"] == 5


def test_breakers_are_told_for_all_workers_and_for_each() -> None:
    calm = {"up": {"breaker": {"state": "closed"}, "breakers": {"m": {"state": "closed"}}}}
    told = summary_json(Gathered((view("0", providers=calm), view("1"))))
    assert told["breakers"] == {"up": {"state": "closed", "models": {"m": "open"}}}
    assert told["workers"][0]["breakers"]["up"]["models"] == {"m": "closed"}


def test_a_router_that_has_done_nothing_divides_by_nothing() -> None:
    told = summary_json(Gathered((WorkerView("0", 1),)))
    assert told["performance"]["performance"] == {
        "avgLatency": 0.0,
        "requestsPerSecond": 0.0,
        "errorRate": 0.0,
    }
    assert told["uptime"] == uptime(Gathered(())) == 0.0


@both_lanes
async def test_every_field_is_what_has_happened(autojump_clock: object) -> None:
    async with open_router(CONFIG, up=(REPLY, REPLY, COUNT, BROKEN)) as world:
        await world.ask("/v1/messages", ASK)
        await world.ask("/v1/messages", ASK)
        await world.ask("/v1/messages", {**ASK, "model": "other"})
        await world.ask("/v1/messages/count_tokens", {key: ASK[key] for key in ("model", "messages")})
        refused = await world.ask("/v1/messages", {**ASK, "model": "third"})
        await trio.sleep(5)
        told = await summary(world)
    assert refused.status == 400
    done = told["performance"]["requests"]
    assert (done["total"], done["streaming"], done["nonStreaming"], done["errors"]) == (5, 0, 5, 1)
    assert told["performance"]["cache"] == {"hits": 1, "misses": 4, "hitRate": 0.2, "coalesced": 0}
    assert told["cache"]["metadata"] == {"tokenCountCacheSize": 1}
    assert told["cache"]["response"]["size"] == told["cache"]["manager"]["l2Size"] == 2
    assert told["cache"]["response"]["calculatedSize"] > 100
    assert told["cache"]["manager"]["hits"] == 1
    assert told["uptime"] >= 5
    assert told["breakers"]["up"]["state"] == "closed"


@both_lanes
async def test_a_stream_that_breaks_off_is_an_error_although_its_status_was_200(autojump_clock: object) -> None:
    async with open_router(CONFIG, up=faults.ends_midway) as world:
        heard = await world.ask("/v1/messages", {**ASK, "stream": True})
        told = await summary(world)
    assert heard.status == 200
    done = told["performance"]["requests"]
    assert (done["streaming"], done["errors"]) == (1, 1)
    assert told["performance"]["performance"]["errorRate"] == 1.0
