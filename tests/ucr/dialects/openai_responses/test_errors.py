from typing import Any

import pytest

from tests.world.chat_streams import context
from ucr.dialects.openai_responses.errors import error_of

WORDS = {"code": "server_error", "message": "no", "param": None}


@pytest.mark.parametrize(
    ("value", "type_", "message", "code"),
    [
        pytest.param({"type": "error", **WORDS}, "api_error", "no", "server_error", id="edge-42-flat"),
        pytest.param({"type": "error", "error": WORDS}, "api_error", "no", "server_error", id="edge-42-nested"),
        ({"type": "response.failed", "response": {"error": WORDS}}, "api_error", "no", "server_error"),
        (
            {"error": {"type": "tokens", "code": "rate_limit_exceeded", "message": "slow"}},
            "rate_limit_error",
            "slow",
            "rate_limit_exceeded",
        ),
        pytest.param(
            {"error": {"type": "insufficient_quota", "message": "paid"}},
            "billing_error",
            "paid",
            "insufficient_quota",
            id="edge-167",
        ),
        (
            {"response": {"error": {"code": "invalid_prompt", "message": "bad"}}},
            "invalid_request_error",
            "bad",
            "invalid_prompt",
        ),
        (
            {"error": {"code": "context_length_exceeded", "message": "exceeds the context window"}},
            "invalid_request_error",
            "prompt is too long: exceeds the context window",
            "context_length_exceeded",
        ),
    ],
)
def test_an_error_is_read_in_every_shape(value: Any, type_: str, message: str, code: str) -> None:
    error = error_of(value, context())
    assert (error.type, error.message, error.code) == (type_, message, code)


@pytest.mark.parametrize(
    "value", [{}, {"error": {}}, {"error": "text"}, {"error": 3}, {"response": {"error": None}}]
)
def test_an_error_without_words_is_one(value: Any) -> None:
    assert error_of(value, context()).type == "api_error"
