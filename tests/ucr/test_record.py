from dataclasses import fields

from ucr.dialects.roles import Summary
from ucr.events import Usage
from ucr.line import FINISHED, TEXTS
from ucr.record import Record

AT_ONCE = (0.0, 0.0, None)


def record(**fields: object) -> Record:
    made = Record("req_1", "0", 100.0, lambda: 0.0)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_an_answer_of_the_router_itself_names_no_provider() -> None:
    assert record().headers(100.0) == (
        ("request-id", "req_1"),
        ("x-ucr-worker", "0"),
        ("x-ucr-overhead-ms", "0.00"),
    )


def test_the_headers_of_an_answer_say_who_gave_it_and_how() -> None:
    made = record(
        provider="groq",
        model_used="gpt-x",
        route="default",
        tier="simple",
        attempts=2,
        waited_s=lambda: 0.25,
        notes=("top_k was left out", "one image was left out"),
        upstream_request_id="up_7",
    )
    assert made.headers(100.375) == (
        ("request-id", "req_1"),
        ("x-ucr-provider", "groq"),
        ("x-ucr-model", "gpt-x"),
        ("x-ucr-route", "default"),
        ("x-ucr-tier", "simple"),
        ("x-ucr-attempts", "2"),
        ("x-ucr-cache", "bypass"),
        ("x-ucr-worker", "0"),
        ("x-ucr-overhead-ms", "125.00"),
        ("x-ucr-notes", "top_k was left out; one image was left out"),
        ("x-ucr-upstream-request-id", "up_7"),
    )


def test_notes_have_an_end() -> None:
    headers = dict(record(notes=("n" * 600, "m" * 600)).headers(100.0))
    assert headers["x-ucr-notes"] == "n" * 600 + "; " + "m" * 398


def test_the_overhead_is_never_below_nothing() -> None:
    assert dict(record(waited_s=lambda: 9.0).headers(101.0))["x-ucr-overhead-ms"] == "0.00"
    assert record(waited_s=lambda: 9.0).took(101.0) == (1.0, 0.0, None)


def test_the_log_fields_are_those_of_the_contract_in_its_order_and_more() -> None:
    assert tuple(record().fields(AT_ONCE)) == (
        *FINISHED,
        "retries",
        "request_bytes",
        "answer_bytes",
        "client",
        "peer",
        "key_number",
        "healed",
        "bridged",
        "usage_estimated",
        "cost_usd",
    )


def test_what_is_not_known_is_null_in_the_log() -> None:
    fields = record().fields(AT_ONCE)
    unknown = {name for name, value in fields.items() if value is None}
    assert unknown == {
        "provider",
        "model_used",
        "route",
        "tier",
        "ttfb_ms",
        "healed",
        "bridged",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "stop_reason",
        "error_type",
        "session_id",
        "agent_id",
        "client",
        "peer",
        "cost_usd",
        "key_number",
    }


def test_the_log_counts_times_from_the_beginning_of_the_request() -> None:
    made = record(
        provider="p",
        tier="emergency",
        attempts=3,
        first_byte_s=100.5,
        waited_s=lambda: 1.5,
        summary=Summary(Usage(input_tokens=7, output_tokens=0, cache_read_tokens=3), "end_turn"),
    )
    told = made.fields(made.took(102.0))
    assert (told["ttfb_ms"], told["total_ms"], told["overhead_ms"]) == (500.0, 2000.0, 500.0)
    assert (told["input_tokens"], told["output_tokens"], told["cache_read_tokens"]) == (7, 0, 3)
    assert (told["stop_reason"], told["tier"], told["retries"]) == ("end_turn", "emergency", 2)


def test_the_id_of_a_message_comes_from_that_of_its_request() -> None:
    assert record().message_id == "msg_1"
    assert Record("other", "0", 0.0, lambda: 0.0).message_id == "msg_other"


def test_the_log_says_costs_in_dollars() -> None:
    assert record(cost_nano=1_234_500).fields(AT_ONCE)["cost_usd"] == 0.0012345
    assert record(cost_nano=0).fields(AT_ONCE)["cost_usd"] == 0


def test_every_text_of_the_log_but_the_requests_own_id_is_among_those_that_are_searched_for_secrets() -> None:
    texts = {entry.name: f"<{entry.name}>" for entry in fields(Record) if entry.type in (str, str | None)}
    made = record(**texts, summary=Summary(stop_reason="<stop_reason>"), bridged=("<bridged>",))
    told = made.fields(AT_ONCE)
    said = [value for value in told.values() if isinstance(value, str)]
    assert sorted(said) == sorted([*TEXTS(told), "<request_id>"])
    assert len(said) > 12
