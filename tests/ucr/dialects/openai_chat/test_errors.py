"""Errors in every shape that providers give them."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat_streams import context
from ucr.dialects.openai_chat.errors import decode_error, error_in
from ucr.errors import UpstreamError


def decoded(status: int, body: object, **headers: str) -> UpstreamError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode_error(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, raw, context()
    )


SHAPES = [
    pytest.param({"error": {"message": "no", "type": "t", "param": "x", "code": "c"}}, "no", "c", id="openai"),
    pytest.param({"error": {"message": "no", "type": "t", "code": None}}, "no", "t", id="type-alone"),
    pytest.param({"error": "no", "code": "c"}, "no", "c", id="text"),
    pytest.param({"object": "error", "message": "no", "type": "t", "code": 1500}, "no", "t", id="mistral"),
    pytest.param(
        {"detail": [{"loc": ["body", "messages", 0], "msg": "Field required", "type": "missing"}]},
        "body.messages.0: Field required",
        None,
        id="fastapi",
    ),
    pytest.param(
        {"object": "error", "message": {"detail": [{"loc": ["body"], "msg": "no"}, {"msg": "nor"}]}},
        "body: no; nor",
        None,
        id="mistral-detail",
    ),
    pytest.param({"detail": "no"}, "no", None, id="detail-text"),
    pytest.param({"message": "no", "request_id": "r"}, "no", None, id="message-alone"),
    pytest.param(
        [{"error": {"message": "no", "status": "INVALID_ARGUMENT"}}], "no", "INVALID_ARGUMENT", id="edge-169"
    ),
    pytest.param(
        {"error": {"message": "Provider returned error", "metadata": {"raw": "too hot", "provider_name": "G"}}},
        "Provider returned error: too hot",
        None,
        id="edge-170-text",
    ),
    pytest.param(
        {
            "error": {
                "message": "Provider returned error",
                "metadata": {"raw": '{"error":{"message":"too hot"}}'},
            }
        },
        "Provider returned error: too hot",
        None,
        id="edge-170-json",
    ),
    pytest.param(
        {"error": {"message": "bad call", "code": "tool_use_failed", "failed_generation": "<f>"}},
        "bad call (the model wrote: <f>)",
        "tool_use_failed",
        id="groq",
    ),
    pytest.param(
        b"<html><style>x{}</style><p>Not here</p>",
        "provider 'p' answered 400: Not here",
        None,
        id="edge-172-html",
    ),
    pytest.param(b"plain words", "provider 'p' answered 400: plain words", None, id="edge-172-text"),
    pytest.param(b"", "provider 'p' answered 400 without a message", None, id="edge-172-empty"),
    pytest.param({"foo": 1}, "provider 'p' answered 400: {\"foo\": 1}", None, id="json-without-words"),
    pytest.param(b"\xff\xfe", "provider 'p' answered 400: \ufffd\ufffd", None, id="no-utf-8"),
]


@pytest.mark.parametrize(("body", "message", "code"), SHAPES)
def test_every_shape_gives_its_words(body: object, message: str, code: str | None) -> None:
    error = decoded(400, body)
    assert (error.message, error.code, error.type) == (message, code, "invalid_request_error")
    assert (error.upstream_status, error.fault) == (400, "request")
    assert error.body == (None if "answered 400" in message else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("status", "body", "type_", "fault"),
    [
        pytest.param(
            429,
            {"error": {"message": "m", "code": "insufficient_quota"}},
            "billing_error",
            "quota",
            id="edge-167",
        ),
        pytest.param(429, {"error": {"message": "m"}}, "rate_limit_error", "rate_limit", id="edge-167-rate"),
        pytest.param(502, b"<html>", "api_error", "gateway", id="edge-172-502"),
        pytest.param(529, {"error": {"message": "m"}}, "overloaded_error", "overload", id="edge-173-529"),
        pytest.param(503, {"error": {"message": "m"}}, "overloaded_error", "overload", id="edge-173-503"),
        pytest.param(
            400,
            {"error": {"message": "m", "code": "context_length_exceeded"}},
            "invalid_request_error",
            "overflow",
            id="edge-175",
        ),
    ],
)
def test_status_and_code_decide_what_it_means(status: int, body: object, type_: str, fault: str) -> None:
    error = decoded(status, body)
    assert (error.type, error.fault) == (type_, fault)


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        pytest.param({"retry_after": "7"}, {"error": {"message": "m"}}, 7, id="edge-177"),
        pytest.param(
            {},
            [{"error": {"message": "m", "details": [{"@type": "x"}, {"retryDelay": "34.07s"}]}}],
            35,
            id="edge-168",
        ),
        pytest.param(
            {"retry_after": "7"}, {"error": {"message": "m", "details": [{"retryDelay": "9s"}]}}, 7, id="both"
        ),
        pytest.param(
            {}, {"error": {"message": "m", "details": [{"retryDelay": "soon"}, 3]}}, None, id="unreadable"
        ),
    ],
)
def test_the_wait_is_read_from_headers_or_body(
    headers: dict[str, str], body: object, seconds: int | None
) -> None:
    assert decoded(429, body, **headers).retry_after_s == seconds


@pytest.mark.parametrize(
    ("error", "status", "type_"),
    [
        ({"message": "m", "code": 429}, 429, "rate_limit_error"),
        ({"message": "m", "code": "503"}, 503, "overloaded_error"),
        ({"message": "m", "status_code": 400}, 400, "invalid_request_error"),
        ({"message": "m", "type": "rate_limit_error"}, 429, "rate_limit_error"),
        ({"message": "m", "type": "server_error"}, 500, "api_error"),
        ({"message": "m", "code": 200}, 500, "api_error"),
        ("m", 500, "api_error"),
    ],
)
def test_an_error_without_a_status_of_its_own_gets_one(error: Any, status: int, type_: str) -> None:
    found = error_in({"error": error}, context())
    assert found is not None
    assert (found.upstream_status, found.type, found.message) == (status, type_, "m")


@pytest.mark.parametrize(
    "value", [{}, {"error": None}, {"error": {}}, {"error": ""}, {"message": "m"}, {"object": "x"}]
)
def test_what_is_no_error_is_none(value: dict[str, Any]) -> None:
    assert error_in(value, context()) is None


def test_an_error_event_without_words_shows_what_it_holds() -> None:
    found = error_in({"code": 7}, context(), is_error=True)
    assert found is not None
    assert found.message == '{"code":7}'


@pytest.mark.parametrize(
    "text", [pytest.param("Incorrect API key provided: sk-proj-abc1****wxyz.", id="edge-184")]
)
def test_keys_in_the_words_are_masked(text: str) -> None:
    error = decoded(401, {"error": {"message": text}})
    assert "abc1" not in error.message
    assert "wxyz" not in error.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "message", "detail", "msg", "loc", "metadata", "raw", "details", "code", "status"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@pytest.mark.slow
@settings(max_examples=300)
@given(status=st.integers(400, 599), value=JSON)
def test_every_json_is_an_error_with_words(status: int, value: Any) -> None:
    assert decoded(status, value).message
