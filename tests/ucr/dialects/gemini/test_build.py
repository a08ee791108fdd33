"""Whole requests: where they go, what is in them, and that nothing is too odd."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ucr.dialects.openai_chat.test_build import CONTENT, NAMES, TURNS, VALUES, blocks
from tests.world.chat import WEATHER, capture, text, user
from tests.world.gemini import check_contents, check_declarations, outgoing, target
from ucr import jsontext
from ucr.dialects.gemini.build import build_count, path
from ucr.dialects.roles import Request, Target
from ucr.errors import ApiError
from ucr.quirks import Quirks

MODELS = ("gemini-3-pro-preview", "gemini-2.5-flash", "gemini-2.0-flash")


def test_a_request_in_full() -> None:
    body = {
        "model": "claude-opus-5-5",
        "system": [text("Be kind.")],
        "messages": [user(text("Weather in Rome?"))],
        "tools": [WEATHER],
        "tool_choice": {"type": "any"},
        "max_tokens": 1000,
        "stream": True,
    }
    sent = outgoing(body, stream=True)
    assert sent.path == "/v1beta/models/gemini-3-flash:streamGenerateContent?alt=sse"
    assert sent.headers == (("content-type", "application/json"), ("accept", "text/event-stream"))
    assert sent.notes == ()
    assert (sent.context.model_asked, sent.context.model_used) == ("claude-opus-5-5", "gemini-3-flash")
    assert sent.body == (
        b'{"contents":[{"role":"user","parts":[{"text":"Weather in Rome?"}]}],'
        b'"systemInstruction":{"parts":[{"text":"Be kind."}]},'
        b'"tools":[{"functionDeclarations":[{"name":"get_weather","description":"Look up the weather.",'
        b'"parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING"}},"required":["city"]}}]}],'
        b'"toolConfig":{"functionCallingConfig":{"mode":"ANY"}},'
        b'"generationConfig":{"maxOutputTokens":1000}}'
    )


@pytest.mark.parametrize(
    ("base_url", "model", "expected"),
    [
        pytest.param("https://g.test", "gemini-x", "/v1beta/models/gemini-x:", id="edge-153"),
        ("https://g.test/v1beta", "gemini-x", "/models/gemini-x:"),
        ("https://g.test/v1/", "gemini-x", "/models/gemini-x:"),
        ("https://g.test/v1beta1/projects/p/publishers/google", "gemini-x", "/models/gemini-x:"),
        ("https://g.test/v1proxy", "models/gemini-x", "/v1beta/models/gemini-x:"),
        ("https://g.test", "tunedModels/mine", "/v1beta/tunedModels/mine:"),
        ("https://g.test", "../a?b#c d", "/v1beta/models/..%2Fa%3Fb%23c%20d:"),
    ],
)
def test_the_model_stands_in_the_path(base_url: str, model: str, expected: str) -> None:
    to = Target("google", model, base_url, Quirks())
    assert path(to, stream=False) == f"{expected}generateContent"
    assert path(to, stream=True) == f"{expected}streamGenerateContent?alt=sse"


def test_a_count_asks_with_tools_and_system_prompt() -> None:
    body = {"system": "Be kind.", "messages": [user("hi")], "tools": [WEATHER]}
    request = Request("anthropic", b"", body, "m", False, {})
    sent = build_count(request, target("gemini-x"))
    assert sent.path == "/v1beta/models/gemini-x:countTokens"
    asked = json.loads(sent.body)["generateContentRequest"]
    assert asked["model"] == "models/gemini-x"
    assert sorted(asked) == ["contents", "model", "systemInstruction", "tools"]


def test_fields_that_the_configuration_drops_are_left_out() -> None:
    sent = outgoing({"messages": [user("hi")], "system": "x"}, target(drop=("systemInstruction",)))
    assert json.loads(sent.body) == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


@pytest.mark.parametrize("name", ["anthropic-beta", "authorization", "x-goog-api-key"])
def test_no_header_of_the_client_is_forwarded(name: str) -> None:
    sent = outgoing({"messages": [user("hi")]}, **{name: "SECRET"})
    assert [header for header, _ in sent.headers] == ["content-type", "accept"]
    assert b"SECRET" not in sent.body


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", NAMES)
def test_what_claude_code_sends_becomes_a_valid_request(name: str, model: str) -> None:
    body = capture(name)
    sent = outgoing(body, target(model), stream=body.get("stream", False))
    for foreign in (b"cache_control", b"x-anthropic-billing-header", b"defer_loading", b"$schema"):
        assert foreign not in sent.body
    found = json.loads(sent.body)
    check_contents(found["contents"])
    check_declarations(found)


@settings(max_examples=200)
@given(TURNS, CONTENT, st.sampled_from(MODELS))
def test_any_content_becomes_contents_in_order_or_is_refused(turns: Any, system: Any, model: str) -> None:
    try:
        sent = outgoing({"messages": turns, "system": system, "tools": [WEATHER]}, target(model))
    except ApiError as error:
        assert error.status == 400
    else:
        check_contents(jsontext.loads(sent.body)["contents"])


FIELDS = (
    "system tools tool_choice max_tokens temperature top_k stop_sequences metadata thinking output_config zzz"
)


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(FIELDS.split()),
        VALUES | st.lists(blocks(VALUES), max_size=2) | blocks(VALUES),
        max_size=8,
    ),
    st.sampled_from(MODELS),
)
def test_no_parameter_is_too_odd(fields: Any, model: str) -> None:
    sent = outgoing({"messages": [user("hi")], **fields}, target(model))
    check_contents(jsontext.loads(sent.body)["contents"])
    check_declarations(jsontext.loads(sent.body))


def test_a_request_nested_deeper_than_any_that_is_read_is_refused_or_written() -> None:
    deep: dict[str, Any] = {}
    for _ in range(3000):
        deep = {"properties": {"a": deep}}
    try:
        sent = outgoing({"messages": [user("hi")], "tools": [{"name": "f", "input_schema": deep}]})
    except ApiError as error:
        assert (error.status, error.message) == (400, "the request is nested too deeply")
    else:
        assert sent.body.count(b'"properties"') > 1
