"""The client role as a whole."""

import json
from typing import Any

import pytest

from ucr.dialects.gemini.client import ARRAY, Called, GeminiClient, called, model_in
from ucr.dialects.gemini.client_thoughts import pack
from ucr.dialects.gemini.provider import without_ours
from ucr.errors import ApiError

BODY = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
VIDEO = {"contents": [{"parts": [{"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}}]}]}


def client(action: str = "generateContent", *, is_array: bool = False) -> GeminiClient:
    return GeminiClient(Called("gemini-x", action, is_array))


def parsed(body: Any, made: GeminiClient | None = None, **headers: str) -> Any:
    return (made or client()).parse(json.dumps(body).encode(), headers)


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/v1beta/models/gemini-x:generateContent", "", Called("gemini-x", "generateContent")),
        ("/v1/models/ant/claude-x:countTokens", "", Called("ant/claude-x", "countTokens")),
        ("/v1beta/models/models/m:generateContent", "", Called("m", "generateContent")),
        ("/v1beta/models/a:b:streamGenerateContent", "alt=sse", Called("a:b", "streamGenerateContent")),
        pytest.param(
            "/v1beta/models/m:streamGenerateContent",
            "",
            Called("m", "streamGenerateContent", True),
            id="edge-153",
        ),
    ],
)
def test_the_path_says_what_is_asked(path: str, query: str, expected: Called) -> None:
    assert called(path, query) == expected


@pytest.mark.parametrize(
    "path", ["/v1beta/models/m", "/v1beta/models/:generateContent", "/v1beta/models/m:embedContent"]
)
def test_what_is_not_served_is_not_found(path: str) -> None:
    with pytest.raises(ApiError, match="is not served here") as caught:
        called(path, "")
    assert caught.value.status == 404
    assert model_in(path).count("/") == 0


def test_a_request_is_read_and_its_body_is_canonical() -> None:
    request = parsed(BODY, client("streamGenerateContent"), **{"x-session-id": "s1"})
    assert (request.dialect, request.model, request.stream, request.session_id) == (
        "gemini",
        "gemini-x",
        True,
        "s1",
    )
    assert request.raw == json.dumps(BODY).encode()
    assert request.body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]


def test_the_translation_is_that_body_with_its_notes() -> None:
    made = client()
    request = parsed({**BODY, "zzz": 1}, made)
    canonical = made.canonical(request)
    assert canonical.body is request.body
    assert canonical.notes == ("dropped zzz",)


def test_what_cannot_be_translated_may_still_pass() -> None:
    made = client()
    request = parsed(VIDEO, made)
    assert request.body == {"model": "gemini-x"}
    with pytest.raises(ApiError, match="video/mp4"):
        made.canonical(request)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"contents":[]}', b'{"contents":3}'])
def test_what_is_no_request_is_refused(raw: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        client().parse(raw, {})
    assert caught.value.status == 400


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_count_is_asked_with_what_counts(wrapped: bool) -> None:
    body = {**BODY, "generationConfig": {"maxOutputTokens": 9}, "systemInstruction": "x"}
    asked = {"generateContentRequest": {"model": "models/m", **body}} if wrapped else body
    request = client("countTokens").parse_count(json.dumps(asked).encode(), {})
    assert sorted(request.body) == ["messages", "model", "system"]
    assert json.loads(request.raw) == request.body


def test_an_array_has_a_name_and_a_type_of_its_own() -> None:
    made = client("streamGenerateContent", is_array=True)
    assert (made.name, made.stream_type) == (ARRAY, "application/json")
    assert (
        json.loads(b"[1" + made.encode_stream_error(ApiError("api_error", "x"), "r"))[1]["error"]["code"] == 500
    )
    assert (client().name, client().stream_type) == ("gemini", "text/event-stream")


def test_errors_and_silence() -> None:
    error = ApiError("api_error", "x")
    assert (
        GeminiClient().encode_stream_error(error, "r")
        == b"data: " + GeminiClient().encode_error(error, "r") + b"\n\n"
    )
    assert client().keep_alive() == b""
    assert client().opens_early is False


@pytest.mark.parametrize(
    ("model", "left"), [("gemini-3-pro", "skip_thought_signature_validator"), ("gemini-2.5-pro", None)]
)
def test_signatures_of_ours_never_reach_google(model: str, left: str | None) -> None:
    ours = pack([("thinking", "x", "s", False)])
    parts = [
        {"functionCall": {"name": "f"}, "thought_signature": ours},
        {"text": "a", "thoughtSignature": "AVSo"},
    ]
    body = {"contents": [{"role": "model", "parts": parts}], "zzz": 1}
    found = json.loads(without_ours(json.dumps(body).encode(), model))
    assert found["zzz"] == 1
    first, second = found["contents"][0]["parts"]
    assert first == (
        {"functionCall": {"name": "f"}}
        if left is None
        else {"functionCall": {"name": "f"}, "thoughtSignature": left}
    )
    assert second == parts[1]
