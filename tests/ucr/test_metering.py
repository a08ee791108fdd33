import sys
from typing import Any

import pytest

from actors import Counter, Totals
from tests.world.router import config_of, provider
from ucr.config.model import Config, ModelTarget
from ucr.dialects.roles import Summary
from ucr.events import Usage
from ucr.metering import MAX_KINDS, MAX_NAMES, Meter, known_model, outcome_of
from ucr.record import Record
from ucr.usage import NAME_CHARS

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
    meter = Meter()
    if is_request:
        meter.count(made, made.took(103.0), CONFIG)
    else:
        meter.count_other(made.status)
    return added(meter)


def added(meter: Meter) -> Totals:
    totals = Totals()
    for one in meter.gathered():
        totals.add_up(one.tally, one.amounts, one.values)
    return totals


def count(meter: Meter, now_s: float = 103.0, config: Config = CONFIG, **fields: Any) -> None:
    made = record(**fields)
    meter.count(made, made.took(now_s), config)


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
    snapshot = counted(record(status=200), is_request=False).snapshot()
    assert snapshot.counters == (Counter("ucr_exchanges_total", (("outcome", "finished"),), 1),)
    assert snapshot.histograms == ()


def test_requests_of_one_kind_have_one_tally_and_every_difference_makes_another() -> None:
    meter = Meter()
    usage = Usage(input_tokens=11, output_tokens=7)
    ordinary: dict[str, Any] = {"status": 200, "attempts": 1, "summary": Summary(usage), "first_byte_s": 101.0}
    changes: tuple[dict[str, Any], ...] = (
        {},
        {"status": 500},
        {"attempts": 0},
        {"summary": Summary(Usage(input_tokens=11))},
        {"summary": Summary(Usage(input_tokens=11, output_tokens=7, cache_read_tokens=3))},
        {"summary": Summary(Usage(input_tokens=11, output_tokens=7, cache_creation_tokens=3))},
        {"first_byte_s": None},
        {"model_used": "groq-model"},
        {"provider": "gone"},
        {"dialect": "openai-chat"},
        {"route": "default"},
        {"stream": True},
        {"cache": "miss"},
    )
    told = []
    for turn in range(2):
        for change in changes:
            count(meter, 103.0 + turn, **{**ordinary, **change})
        told.append(meter.gathered())
    first, second = ([one.tally for one in each] for each in told)
    assert first == second
    assert len(set(first)) == len(changes)
    assert (told[0][0].amounts, told[0][0].values) == ((1, 1, 1, 11, 7), ((3.0,), (2.5,), (1.0,)))
    assert repr(meter) == f"<Meter of {len(changes)} kinds>"
    assert meter.gathered() == ()


def test_requests_of_one_kind_are_added_up_until_the_metrics_are_told() -> None:
    meter = Meter()
    for number in range(3):
        usage = Usage(input_tokens=10 + number, output_tokens=1, cache_read_tokens=2, cache_creation_tokens=3)
        many: dict[str, Any] = {"summary": Summary(usage), "attempts": 2, "cache": "miss"}
        count(meter, 103.0 + number, status=200, cost_nano=500_000_000, error_type="api_error", **many)
        meter.count_other(200)
    one, other = meter.gathered()
    assert one.amounts == (3, 3, 6, 3, 33, 3, 6, 9, 1.5, 3)
    assert one.values == ((3.0, 4.0, 5.0), (2.5, 3.5, 4.5))
    assert [name for name, _ in one.tally.counters] == [
        *(
            "ucr_exchanges_total",
            "ucr_requests_total",
            "ucr_upstream_attempts_total",
            "ucr_cache_lookups_total",
        ),
        *(["ucr_tokens_total"] * 4),
        *("ucr_cost_usd_total", "ucr_request_errors_total"),
    ]
    assert (other.amounts, other.values) == ((3,), ())


def test_sums_that_come_to_nothing_are_told_all_the_same() -> None:
    meter = Meter()
    for tokens in (5, -5):
        count(meter, status=200, summary=Summary(Usage(input_tokens=tokens)))
    (one,) = meter.gathered()
    assert one.amounts == (2, 2, 0)


def test_another_configuration_makes_other_labels() -> None:
    meter = Meter()
    for config in (CONFIG, config_of(provider("groq", "openai-chat")), CONFIG):
        count(meter, config=config, status=200, attempts=1)
    snapshot = added(meter).snapshot()
    assert snapshot.total("ucr_upstream_attempts_total", model="gpt-x") == 2
    assert snapshot.total("ucr_upstream_attempts_total", model="other") == 1


def test_a_name_that_is_longer_than_any_models_is_not_kept() -> None:
    meter, name = Meter(), "m" * (NAME_CHARS + 1)
    references = sys.getrefcount(name)
    count(meter, status=200, model_used=name)
    meter.gathered()
    assert sys.getrefcount(name) == references


def test_names_that_clients_make_up_take_no_room_for_ever() -> None:
    meter = Meter()
    tallies = set()
    for number in range(2 * MAX_NAMES):
        count(meter, status=200, model_used=f"m{number}")
        tallies |= {one.tally for one in meter.gathered()}
    assert len(tallies) == 1
    for status in range(MAX_KINDS + 10):
        count(meter, status=status)
    assert repr(meter) == "<Meter of 11 kinds>"


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


@pytest.mark.parametrize(
    ("status", "error_type"), [(200, "api_error"), (499, "client_gone"), (429, "rate_limit_error")]
)
def test_a_request_that_failed_is_counted_by_its_error_whatever_its_status(
    status: int, error_type: str
) -> None:
    snapshot = counted(record(status=status, error_type=error_type)).snapshot()
    assert snapshot.total("ucr_request_errors_total", provider="groq", type=error_type) == 1
    assert counted(record(status=status)).snapshot().total("ucr_request_errors_total") == 0
