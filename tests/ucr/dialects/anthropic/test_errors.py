import json
from pathlib import Path

import pytest

from ucr.dialects.anthropic import errors
from ucr.errors import STATUS_OF, ApiError, ErrorType

FIXTURES = Path(__file__).parents[3] / "fixtures" / "anthropic"


@pytest.mark.parametrize(("type_", "status"), STATUS_OF)
def test_an_error_is_written_in_the_shape_of_the_api(type_: ErrorType, status: int) -> None:
    assert json.loads(errors.written(ApiError(type_, "words"), "req_1")) == {
        "type": "error",
        "error": {"type": type_, "message": "words"},
        "request_id": "req_1",
    }
    assert "request_id" not in json.loads(errors.written(ApiError(type_, "words")))


def body(type_: str, message: str) -> bytes:
    return json.dumps({"type": "error", "error": {"type": type_, "message": message}}).encode()


@pytest.mark.parametrize(
    ("status", "sent", "type_", "fault"),
    [
        (400, "invalid_request_error", "invalid_request_error", "request"),
        (401, "authentication_error", "permission_error", "auth"),
        (402, "billing_error", "billing_error", "quota"),
        (403, "permission_error", "permission_error", "auth"),
        (404, "not_found_error", "not_found_error", "model"),
        (413, "request_too_large", "request_too_large", "request"),
        (429, "rate_limit_error", "rate_limit_error", "rate_limit"),
        (500, "api_error", "api_error", "server"),
        (504, "timeout_error", "timeout_error", "timeout"),
        (529, "overloaded_error", "overloaded_error", "overload"),
    ],
)
def test_a_refusal_keeps_its_meaning_its_words_and_its_body(
    status: int, sent: str, type_: str, fault: str
) -> None:
    error = errors.read_body("anthropic", status, {"retry-after": "7"}, body(sent, "words"))
    assert (error.type, error.fault) == (type_, fault)
    assert "words" in error.message
    assert (error.message == "words") is (fault != "auth")
    assert (error.upstream_status, error.retry_after_s, error.body) == (status, 7, body(sent, "words"))


def test_an_overflow_already_worded_for_claude_code_stays_as_it_is() -> None:
    words = "prompt is too long: 250000 tokens > 200000 maximum"
    error = errors.read_body("anthropic", 400, {}, body("invalid_request_error", words))
    assert (error.message, error.fault, error.code) == (words, "overflow", "context_length_exceeded")


def test_a_recorded_error_is_read() -> None:
    raw = (FIXTURES / "count-tokens-error" / "01.response.json").read_bytes()
    error = errors.read_body("anthropic", 404, {}, raw)
    assert (error.type, error.body) == ("not_found_error", raw)
    assert error.message == json.loads(raw)["error"]["message"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"<html><h1>Bad gateway</h1></html>", "provider 'p' answered 502: Bad gateway"),
        (b"", "provider 'p' answered 502"),
        (b"[1]", "provider 'p' answered 502: [1]"),
        (
            b'{"error":{"type":1,"message":[]}}',
            'provider \'p\' answered 502: {"error":{"type":1,"message":[]}}',
        ),
    ],
)
def test_a_body_of_another_shape_is_quoted_and_not_passed_on(raw: bytes, words: str) -> None:
    error = errors.read_body("p", 502, {}, raw)
    assert (error.message, error.fault, error.body) == (words, "gateway", None)


@pytest.mark.parametrize(
    ("raw", "words"), [(b'{"error":"text"}', "text"), (b'{"type":"x","message":"flat"}', "flat")]
)
def test_the_shapes_of_imitators_are_read(raw: bytes, words: str) -> None:
    error = errors.read_body("p", 400, {}, raw)
    assert (error.message, error.body) == (words, None)


@pytest.mark.parametrize(
    ("type_", "fault"),
    [
        ("overloaded_error", "overload"),
        ("rate_limit_error", "rate_limit"),
        ("new_error", "server"),
        (None, "server"),
    ],
)
def test_an_error_event_has_the_status_of_its_type(type_: str | None, fault: str) -> None:
    assert errors.read_event("p", {"type": "error", "error": {"type": type_, "message": "m"}}).fault == fault
