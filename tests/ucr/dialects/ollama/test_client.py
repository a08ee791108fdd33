import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.dialects.ollama.client import OllamaClient
from ucr.errors import ApiError

RAW = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


def client(*, generates: bool = False) -> OllamaClient:
    return OllamaClient(lambda: 0.0, generates=generates)


def test_a_request_streams_by_default_and_tells_its_conversation() -> None:
    request = client().parse(RAW, {"x-session-id": "s1"})
    assert (request.model, request.stream, request.session_id) == ("m", True, "s1")
    assert request.body["messages"][0]["content"] == [{"type": "text", "text": "hi"}]


def test_what_cannot_be_translated_is_said_when_it_must_be() -> None:
    one = client()
    request = one.parse(b'{"model": "m", "messages": []}', {})
    assert request.body == {"model": "m"}
    with pytest.raises(ApiError, match="messages"):
        one.canonical(request)


def test_the_same_words_to_be_generated_are_another_request() -> None:
    assert client().parse(RAW, {}).beside != client(generates=True).parse(RAW, {}).beside
    assert client(generates=True).name == "ollama-generate"


@given(
    st.fixed_dictionaries(
        {"model": st.just("m")},
        optional=dict.fromkeys(
            ("messages", "options", "tools", "format", "think", "stream", "prompt", "system"), JSON
        ),
    ),
    st.booleans(),
)
def test_no_body_is_anything_but_a_request_or_our_own_error(body: dict[str, object], generates: bool) -> None:
    one = client(generates=generates)
    try:
        one.canonical(one.parse(json.dumps(body).encode(), {}))
    except ApiError as error:
        assert error.status == 400


def test_errors_are_words_and_silence_stays_silent() -> None:
    error = ApiError("api_error", "no")
    assert client().encode_error(error, "req_1") == b'{"error":"no"}'
    assert client().encode_stream_error(error, "req_1") == b'{"error":"no"}\n'
    assert client().keep_alive() == b""
