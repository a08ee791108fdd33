from typing import Any

import pytest

from actors import Counter, Histogram, MetricsSnapshot
from ucr.observe.statistics import Window, breaker_of, percentile
from ucr.views import Gathered, WorkerView

BOUNDS = (0.1, 0.2, 0.4)


def gathered(
    requests: float, errors: float = 0, took: tuple[int, ...] = (0, 0, 0, 0), **changes: Any
) -> Gathered:
    up = (("provider", "up"),)
    counters = (
        Counter("ucr_requests_total", up, requests),
        Counter("ucr_request_errors_total", (*up, ("type", "api_error")), errors),
        Counter("ucr_request_errors_total", (*up, ("type", "client_gone")), 5),
        Counter("ucr_tokens_total", up, requests * 10),
        Counter("ucr_cost_usd_total", up, 0.5),
    )
    metrics = MetricsSnapshot(counters, (Histogram("ucr_ttfb_seconds", up, BOUNDS, took, 1.0),))
    status = {"state": "serving", "in_flight": 2, "limit": 64, "breaker": {"state": "closed"}}
    fields: dict[str, Any] = {"providers": {"up": status}, "open_requests": 3, "rss_bytes": 9, "uptime_s": 7.0}
    return Gathered((WorkerView("0", 11, metrics=metrics, **{**fields, **changes}),))


def test_the_first_time_there_are_totals_and_no_rates() -> None:
    told = Window().statistics(gathered(8, 2), 100.0)
    assert told["requests"] == {"total": 8, "open": 3, "per_s": None, "errors": 2, "errors_per_s": None}
    assert told["times_ms"]["ttfb"] == {"p50": None, "p95": None, "p99": None}
    assert (told["uptime_s"], told["cost_usd"], told["tokens_per_s"]) == (7.0, 0.5, None)
    assert told["cache"]["enabled"] is False
    assert told["workers"] == [
        {"worker": "0", "pid": 11, "state": "serving", "open_requests": 3, "rss_bytes": 9, "pressure": "calm"}
    ]


def test_rates_are_those_of_ten_seconds_and_percentiles_those_of_a_minute() -> None:
    window = Window()
    window.statistics(gathered(0, took=(100, 0, 0, 0)), 0.0)
    window.statistics(gathered(50, took=(100, 0, 0, 0)), 50.0)
    told = window.statistics(gathered(70, 5, took=(100, 10, 0, 0)), 60.0)
    assert (told["requests"]["per_s"], told["requests"]["errors_per_s"]) == (2.0, 0.5)
    assert told["tokens_per_s"] == 20.0
    assert told["times_ms"]["ttfb"]["p50"] == 150.0
    assert told["providers"]["up"]["per_s"] == 2.0
    later = window.statistics(gathered(70, 5, took=(100, 10, 0, 0)), 130.0)
    assert later["times_ms"]["ttfb"]["p50"] is None
    assert repr(window) == "<Window of 1 marks>"


@pytest.mark.parametrize("took", [(7, 0, 0, 0), (0, 0, 0, 0), (0, 10, 0, 0)])
def test_totals_that_fall_because_a_worker_is_missing_are_told_as_nothing(took: tuple[int, ...]) -> None:
    window = Window()
    window.statistics(gathered(80, 9, took=(10, 10, 0, 0)), 0.0)
    told = window.statistics(gathered(40, 2, took=took), 5.0)
    assert (told["requests"]["per_s"], told["requests"]["errors_per_s"], told["tokens_per_s"]) == (0, 0, 0)
    assert told["times_ms"]["ttfb"] == {"p50": None, "p95": None, "p99": None}
    assert told["providers"]["up"]["per_s"] == 0


def test_a_moment_without_any_worker_is_told_too() -> None:
    window = Window()
    window.statistics(gathered(80, took=(10, 0, 0, 0)), 0.0)
    assert window.statistics(Gathered(()), 5.0)["times_ms"]["ttfb"]["p50"] is None
    told = window.statistics(gathered(90, took=(10, 10, 0, 0)), 6.0)
    assert told["times_ms"]["ttfb"]["p50"] == 150.0


def test_a_provider_is_told_with_the_gravest_of_its_breakers() -> None:
    told = Window().statistics(gathered(8, 2), 100.0)["providers"]["up"]
    assert told == {
        "state": "serving",
        "breaker": "closed",
        "in_flight": 2,
        "waiting": 0,
        "limit": 64,
        "requests": 8,
        "errors": 2,
        "per_s": None,
    }
    status = {"breaker": {"state": "closed"}, "breakers": {"a": {"state": "open"}, "b": {"state": "half_open"}}}
    assert breaker_of(status) == "open"
    assert breaker_of({"breaker": {"state": "half_open"}}) == "half_open"
    assert breaker_of({}) == "closed"


@pytest.mark.parametrize(
    ("counts", "percent", "expected"),
    [
        ((0, 0, 0, 0), 50, None),
        ((10, 0, 0, 0), 50, 50.0),
        ((0, 0, 10, 0), 1, 202.0),
        ((0, 10, 0, 0), 50, 150.0),
        ((5, 5, 0, 0), 50, 100.0),
        ((5, 0, 5, 0), 90, 360.0),
        ((1, 0, 0, 9), 95, 400.0),
    ],
)
def test_a_percentile_lies_within_its_bucket(
    counts: tuple[int, ...], percent: int, expected: float | None
) -> None:
    assert percentile(BOUNDS, counts, percent) == expected
