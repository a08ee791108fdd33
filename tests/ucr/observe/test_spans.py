"""What OpenTelemetry is told of requests."""

from tests.world.router import config_of, provider
from ucr.dialects.roles import Summary
from ucr.errors import ApiError
from ucr.events import Usage
from ucr.observe.spans import provider_name, spans_of, texts_of
from ucr.record import Record, Tried

CONFIG = config_of(provider("a", "anthropic"), provider("mistral", "openai-chat"))


def record() -> Record:
    made = Record("req_1", "0", 100.0, lambda: 0.0)
    made.dialect, made.model_asked, made.session_id = "anthropic", "claude-x", "s-1"
    made.route, made.tier, made.cache, made.stream = "default", "simple", "miss", True
    made.provider, made.model_used, made.attempts, made.status = "mistral", "large", 2, 200
    made.summary = Summary(Usage(11, 7, cache_read_tokens=3), "end_turn")
    made.tried = (Tried("a", "claude", ApiError("overloaded_error", "secret words"), 102.5),)
    return made


def test_a_request_has_a_span_and_each_attempt_one_below_it() -> None:
    whole, first, second = spans_of(record(), CONFIG, 110.0, 1_000_010.0)
    assert (whole.name, whole.kind, whole.began_s, whole.ended_s) == (
        *("chat claude-x", "server"),
        *(1_000_000.0, 1_000_010.0),
    )
    assert (first.name, first.kind, first.began_s, first.ended_s) == (
        *("chat claude", "client"),
        *(1_000_000.0, 1_000_002.5),
    )
    assert (second.name, second.began_s, second.ended_s) == ("chat large", 1_000_002.5, 1_000_010.0)
    assert [span.is_error for span in (whole, first, second)] == [False, True, False]
    assert whole.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "claude-x",
        "gen_ai.conversation.id": "s-1",
        "gen_ai.response.model": "large",
        "gen_ai.response.finish_reasons": ("end_turn",),
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "http.response.status_code": 200,
        "ucr.request_id": "req_1",
        "ucr.dialect": "anthropic",
        "ucr.route": "default",
        "ucr.tier": "simple",
        "ucr.cache": "miss",
        "ucr.stream": True,
        "ucr.attempts": 2,
    }
    assert first.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "a",
        "gen_ai.request.model": "claude",
        "server.address": "a.test",
        "server.port": 80,
        "ucr.provider": "a",
        "error.type": "overloaded_error",
        "http.response.status_code": 529,
    }


def test_a_request_that_failed_says_how_and_one_from_the_cache_has_no_attempt() -> None:
    failed, hit = record(), record()
    failed.attempts, failed.status, failed.error_type = 1, 529, "overloaded_error"
    hit.attempts, hit.tried, hit.cache = 0, (), "hit"
    whole, only = spans_of(failed, CONFIG, 110.0, 0.0)
    assert (whole.attributes["error.type"], whole.is_error, only.name) == (
        "overloaded_error",
        True,
        "chat claude",
    )
    assert [span.name for span in spans_of(hit, CONFIG, 110.0, 0.0)] == ["chat claude-x"]


def test_long_names_are_cut_and_missing_ones_left_out() -> None:
    made = Record("req_1", "0", 100.0, lambda: 0.0)
    made.model_asked, made.status = "m" * 1000, 404
    (whole,) = spans_of(made, CONFIG, 101.0, 1.0)
    assert (len(whole.name), len(str(whole.attributes["gen_ai.request.model"]))) == (300, 300)
    assert whole.attributes["error.type"] == "404"
    assert "gen_ai.provider.name" not in whole.attributes
    assert provider_name("groq") == "groq"


def test_the_spans_of_attempts_have_the_ids_that_providers_were_told() -> None:
    made = record()
    made.span_id = 7
    made.tried = (Tried("a", "claude", ApiError("overloaded_error", "no"), 102.5, 5),)
    assert [span.span_id for span in spans_of(made, CONFIG, 110.0, 1_000_010.0)] == [0, 5, 7]


def test_all_texts_of_attributes_are_found() -> None:
    assert texts_of({"a": "x", "b": 1, "c": ("y", "z"), "d": True}) == ["x", "y", "z"]
