import json
from typing import Any, get_args

import pytest
from openai import _exceptions as sdk

from ucr.dialects.openai_chat.client_errors import WORDS, body_of
from ucr.errors import ApiError, ErrorType, UpstreamError


def error_of(error: ApiError) -> Any:
    body = json.loads(body_of(error))
    assert body.keys() == {"error"}
    return body["error"]


def test_an_error_has_the_four_fields_of_openai() -> None:
    error = ApiError("invalid_request_error", "messages: missing", param="messages")
    assert body_of(error) == (
        b'{"error":{"message":"messages: missing","type":"invalid_request_error",'
        b'"param":"messages","code":null}}'
    )


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("invalid_request_error", ("invalid_request_error", None)),
        ("authentication_error", ("invalid_request_error", "invalid_api_key")),
        ("billing_error", ("insufficient_quota", "insufficient_quota")),
        ("permission_error", ("invalid_request_error", "permission_denied")),
        ("not_found_error", ("invalid_request_error", "model_not_found")),
        ("conflict_error", ("invalid_request_error", "conflict")),
        ("request_too_large", ("invalid_request_error", "request_too_large")),
        ("rate_limit_error", ("rate_limit_error", "rate_limit_exceeded")),
        ("api_error", ("server_error", None)),
        ("timeout_error", ("server_error", "timeout")),
        ("overloaded_error", ("server_error", "server_is_overloaded")),
    ],
)
def test_every_type_has_openais_words(type_: ErrorType, expected: tuple[str, str | None]) -> None:
    made = error_of(ApiError(type_, "x"))
    assert (made["type"], made["code"]) == expected


def test_no_type_is_forgotten() -> None:
    assert set(WORDS) == set(get_args(ErrorType))


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("context_length_exceeded", "context_length_exceeded"),
        ("rate_limit_error", "rate_limit_exceeded"),
        (None, "rate_limit_exceeded"),
    ],
)
def test_the_errors_own_code_stays_unless_it_is_an_anthropic_type(code: str | None, shown: str) -> None:
    error = UpstreamError("rate_limit_error", "slow", fault="rate_limit", code=code, body=b'{"theirs":1}')
    assert error_of(error)["code"] == shown


def test_the_sdk_finds_code_and_param() -> None:
    made = error_of(ApiError("not_found_error", "no such model", param="model"))
    raised = sdk.APIError("x", request=None, body=made)  # type: ignore[arg-type]
    assert (raised.code, raised.param, raised.type) == ("model_not_found", "model", "invalid_request_error")
