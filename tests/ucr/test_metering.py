from typing import Any

import pytest

from actors import Count, Totals
from tests.world.router import config_of, provider
from ucr.config.model import ModelTarget
from ucr.dialects.roles import Summary
from ucr.events import Usage
from ucr.metering import known_model, measured, outcome_of
from ucr.record import Record

CONFIG = config_of(
    provider("groq", "openai-chat", models=("gpt-x",)),
    models={"fast": (ModelTarget("groq", "gpt-fast"),)},
)


def record(**fields: Any) -> Record:
    made = Record("req_1", "0", 100.0, lambda: 0.5, dialect="anthropic", provider="groq", model_used="gpt-x")
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def counted(made: Record, *, is_request: bool = True) -> Totals:
    totals = Totals()
    message = measured(made, 103.0, CONFIG, is_request=is_request)
    totals.add(message.counts, message.observations)
    return totals


def test_a_request_is_counted_by_who_answered_and_how() -> None:
    usage = Usage(input_tokens=11, output_tokens=7, cache_read_tokens=0)
    made = record(status=200, attempts=2, route="default", summary=Summary(usage), first_byte_s=101.0)
    snapshot = counted(made).snapshot()
    whom = {"provider": "groq", "model": "gpt-x"}
    manner = {"dialect": "anthropic", "status": "200", "route": "default", "stream": "false", "cache": "bypass"}
    assert snapshot.total("ucr_requests_total", **whom, **manner) == 1
    assert snapshot.total("ucr_upstream_attempts_total", **whom) == 2
    assert snapshot.total("ucr_tokens_total", **whom, kind="input") == 11
    assert snapshot.total("ucr_tokens_total") == 18
    assert snapshot.total("ucr_exchanges_total", outcome="finished") == 1
    times = {histogram.name: histogram.sum for histogram in snapshot.histograms}
    assert times == {
        "ucr_ttfb_seconds": 1.0,
        "ucr_request_duration_seconds": 3.0,
        "ucr_overhead_seconds": 2.5,
    }


@pytest.mark.parametrize(("cache", "count"), [("hit", 1), ("miss", 1), ("bypass", 0)])
def test_a_request_that_asked_the_cache_is_counted_by_what_it_found(cache: str, count: int) -> None:
    snapshot = counted(record(status=200, cache=cache)).snapshot()
    assert snapshot.total("ucr_cache_lookups_total") == count
    assert snapshot.total("ucr_cache_lookups_total", result=cache) == count


def test_an_answer_that_never_began_has_no_time_to_its_first_byte() -> None:
    names = {histogram.name for histogram in counted(record(status=499)).snapshot().histograms}
    assert names == {"ucr_request_duration_seconds", "ucr_overhead_seconds"}


def test_what_is_no_request_to_a_model_counts_as_an_exchange_only() -> None:
    message = measured(record(status=200), 103.0, CONFIG, is_request=False)
    assert message.counts == (Count("ucr_exchanges_total", (("outcome", "finished"),)),)
    assert message.observations == ()


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "finished"), (302, "finished"), (404, "failed"), (529, "failed"), (499, "cancelled"), (0, "failed")],
)
def test_every_exchange_ends_in_one_of_three_ways(status: int, outcome: str) -> None:
    assert outcome_of(status) == outcome


@pytest.mark.parametrize(
    ("provider_id", "model", "label"),
    [
        ("groq", "gpt-x", "gpt-x"),
        ("groq", "groq-model", "groq-model"),
        ("groq", "gpt-fast", "gpt-fast"),
        ("groq", "whatever a client makes up", "other"),
        ("gone", "gpt-x", "other"),
        ("", "", ""),
    ],
)
def test_only_models_of_the_configuration_become_labels(provider_id: str, model: str, label: str) -> None:
    assert known_model(CONFIG, provider_id, model) == label
