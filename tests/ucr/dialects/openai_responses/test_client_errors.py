import json

import pytest
from jsonschema import Draft202012Validator

from tests.world.responses import schema
from ucr.dialects.openai_responses.client_errors import body_of, stream_error
from ucr.errors import ApiError

ERROR = ApiError("rate_limit_error", "slow down", param="model")


def test_a_refusal_is_that_of_chat_completions() -> None:
    assert json.loads(body_of(ERROR)) == {
        "error": {
            "message": "slow down",
            "type": "rate_limit_error",
            "param": "model",
            "code": "rate_limit_exceeded",
        }
    }


def test_a_stream_ends_in_an_error_and_a_failed_response() -> None:
    first, second, rest = stream_error(ERROR, 7, {"id": "resp_1"}).split(b"\n\n")
    assert rest == b""
    name, data = first.split(b"\ndata: ")
    event = json.loads(data)
    assert name == b"event: error"
    Draft202012Validator(schema("ResponseErrorEvent")).validate(event)
    assert (event["code"], event["sequence_number"], event["error"]["code"]) == (
        "rate_limit_exceeded",
        7,
        "rate_limit_exceeded",
    )
    name, data = second.split(b"\ndata: ")
    assert name == b"event: response.failed"
    assert json.loads(data) == {
        "type": "response.failed",
        "sequence_number": 8,
        "response": {
            "id": "resp_1",
            "status": "failed",
            "error": {"code": "rate_limit_exceeded", "message": "slow down"},
        },
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ApiError("invalid_request_error", "x", code="context_length_exceeded"), "context_length_exceeded"),
        (ApiError("billing_error", "x"), "insufficient_quota"),
        (ApiError("invalid_request_error", "x"), "invalid_prompt"),
        (ApiError("overloaded_error", "x"), "server_error"),
    ],
)
def test_a_failed_response_has_a_code_that_clients_know(error: ApiError, code: str) -> None:
    failed = json.loads(stream_error(error).split(b"\ndata: ")[2])
    assert failed["response"]["error"]["code"] == code
