import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.world.chat import CAPTURES, TESTS, WEATHER, built, capture, outgoing, target, text, user
from ucr import jsontext
from ucr.dialects.envelope import seal
from ucr.errors import ApiError

NAMES = sorted(path.stem for path in CAPTURES.glob("*.json"))
TARGETS = (
    ("openai", "gpt-5.6"),
    ("openai", "gpt-4o"),
    ("deepseek", "deepseek-v4-pro"),
    ("groq", "meta-llama/llama-4-scout-17b-16e-instruct"),
    ("mistral", "mistral-large-latest"),
    ("openrouter", "openai/gpt-5.1"),
    ("google", "gemini-2.5-pro"),
    ("perplexity", "sonar"),
)


def test_a_request_in_full() -> None:
    body = {
        "model": "claude-opus-5-5",
        "system": [text("x-anthropic-billing-header: cc_version=1;"), text("Be kind.")],
        "messages": [
            user(text("Weather in Rome?")),
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t1", "name": "get_weather", "input": {}}],
            },
            user({"type": "tool_result", "tool_use_id": "t1", "content": "sunny"}, text("Thanks.")),
        ],
        "tools": [WEATHER],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "max_tokens": 1000,
        "temperature": 0.5,
        "stop_sequences": ["END"],
        "stream": True,
    }
    sent = outgoing(body, target("local", "gpt-x"), stream=True)
    assert sent.path == "/chat/completions"
    assert sent.headers == (("content-type", "application/json"), ("accept", "text/event-stream"))
    assert sent.notes == ()
    assert (sent.context.model_asked, sent.context.model_used) == ("claude-opus-5-5", "gpt-x")
    assert sent.context.stream is True
    assert sent.body == (
        b'{"model":"gpt-x","messages":[{"role":"system","content":"Be kind."},'
        b'{"role":"user","content":"Weather in Rome?"},'
        b'{"role":"assistant","content":null,"tool_calls":[{"id":"t1","type":"function",'
        b'"function":{"name":"get_weather","arguments":"{}"}}]},'
        b'{"role":"tool","tool_call_id":"t1","content":"sunny"},{"role":"user","content":"Thanks."}],'
        b'"tools":[{"type":"function","function":{"name":"get_weather","description":"Look up the weather.",'
        b'"parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}],'
        b'"tool_choice":"auto","parallel_tool_calls":false,"max_tokens":1000,"temperature":0.5,"stop":["END"],'
        b'"stream":true,"stream_options":{"include_usage":true}}'
    )


def test_usage_is_asked_for_in_streams_of_providers_that_know_the_option() -> None:
    body = {"messages": [user("hi")]}
    assert built(body, target("mistral", "m"), stream=True)["stream"] is True
    assert "stream_options" not in built(body, target("mistral", "m"), stream=True)
    whole = outgoing(body)
    assert b'"stream":false' in whole.body and b"stream_options" not in whole.body
    assert whole.headers[1] == ("accept", "application/json")


@pytest.mark.parametrize("name", [pytest.param("anthropic-beta", id="edge-149"), "authorization", "x-api-key"])
def test_no_header_of_the_client_is_forwarded(name: str) -> None:
    sent = outgoing({"messages": [user("hi")]}, **{name: "SECRET"})
    assert [header for header, _ in sent.headers] == ["content-type", "accept"]
    assert b"SECRET" not in sent.body


def test_a_request_nested_deeper_than_any_that_is_read_is_refused_or_written() -> None:
    """How deep the standard library's encoder goes differs between versions of Python."""
    deep: dict[str, Any] = {}
    for _ in range(3000):
        deep = {"properties": {"a": deep}}
    tools = [{"name": "f", "input_schema": deep, "strict": True}]
    try:
        sent = outgoing({"messages": [user("hi")], "tools": tools}, target("openai", "gpt-4o"))
    except ApiError as error:
        assert (error.status, error.message) == (400, "the request is nested too deeply")
    else:
        assert sent.body.count(b'"properties"') >= 3000


@cache
def validator() -> Draft202012Validator:
    document = json.loads((TESTS / "schemas" / "openai.openapi-subset.chat.json").read_bytes())
    return Draft202012Validator({"$ref": "#/components/schemas/CreateChatCompletionRequest", **document})


@pytest.mark.parametrize(("provider", "model"), TARGETS)
@pytest.mark.parametrize("name", NAMES)
def test_what_claude_code_sends_becomes_a_valid_request(name: str, provider: str, model: str) -> None:
    body = capture(name)
    to = target(provider, model)
    if name.startswith("image") and not to.quirks.takes_images(model):
        with pytest.raises(ApiError, match="takes no images"):
            outgoing(body, to)
        return
    sent = outgoing(body, to, stream=body.get("stream", False))
    for foreign in (b"cache_control", b"x-anthropic-billing-header", b"defer_loading", b"context_management"):
        assert foreign not in sent.body
    found = json.loads(sent.body)
    check_messages(found["messages"])
    assert all(note.isascii() and "," not in note and ";" not in note for note in sent.notes)
    if provider == "openai":
        errors = [f"{list(error.path)}: {error.message[:200]}" for error in validator().iter_errors(found)]
        assert errors == []


def check_messages(messages: list[dict[str, Any]]) -> None:
    """Every call is answered at once, every answer has its call, and nobody says nothing."""
    open_ids: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            assert message["tool_call_id"] in open_ids
            open_ids.remove(message["tool_call_id"])
            continue
        assert open_ids == []
        open_ids = [call["id"] for call in message.get("tool_calls", ())]
        assert len(set(open_ids)) == len(open_ids)
        assert message["content"] or open_ids
        if isinstance(message["content"], list):
            assert all(part.get("text", "_").strip() for part in message["content"])
    assert open_ids == []


IDS = st.sampled_from(["t1", "t2", "0", "ucrx_Og", "functions.a:0"])
WORDS = st.sampled_from(["", " ", "hi", "\ud800", "größe"])
VALUES = st.none() | st.integers() | WORDS | st.lists(WORDS, max_size=2) | st.just({"a": 1})
SOURCES = st.one_of(
    VALUES,
    st.fixed_dictionaries(
        {"type": st.sampled_from(["base64", "url", "text", "content", "file"])},
        optional={
            "data": VALUES,
            "url": WORDS | st.just("data:image/png;base64,AAAA"),
            "media_type": VALUES,
            "content": st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": WORDS}), max_size=2),
        },
    ),
)
KINDS = st.sampled_from(
    [
        "text",
        "image",
        "document",
        "tool_use",
        "tool_result",
        "thinking",
        "redacted_thinking",
        "server_tool_use",
        "web_search_tool_result",
        "search_result",
        "tool_reference",
        "compaction",
        "mystery",
    ]
)
SIGNATURES = WORDS | st.sampled_from(
    [
        seal(name, {"reasoning_details": [{"a": 1}], "thinking_chunks": [{"type": "thinking"}]})
        for name in ("openrouter", "mistral", "deepseek")
    ]
)


def blocks(content: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    known = {
        "text": WORDS,
        "thinking": WORDS,
        "signature": SIGNATURES,
        "id": IDS | VALUES,
        "tool_use_id": IDS | VALUES,
        "name": st.sampled_from(["get_weather", "a.b", ""]) | VALUES,
        "input": VALUES,
        "source": SOURCES,
        "content": content,
        "is_error": st.booleans(),
        "cache_control": VALUES,
        "citations": VALUES,
    }
    return st.fixed_dictionaries({"type": KINDS | VALUES}, optional=known)


CONTENT = VALUES | st.lists(blocks(VALUES | st.lists(blocks(VALUES), max_size=2)), max_size=4)
TURNS = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system", "tool"]), "content": CONTENT}
    ),
    max_size=6,
)


@settings(max_examples=250)
@given(TURNS, CONTENT, st.sampled_from(TARGETS))
def test_any_content_becomes_messages_in_order_or_is_refused(
    turns: Any, system: Any, to: tuple[str, str]
) -> None:
    try:
        sent = outgoing({"messages": turns, "system": system, "tools": [WEATHER]}, target(*to))
    except ApiError as error:
        assert error.status == 400
    else:
        check_messages(jsontext.loads(sent.body)["messages"])


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "system",
                "tools",
                "tool_choice",
                "max_tokens",
                "temperature",
                "top_k",
                "stop_sequences",
                "metadata",
                "thinking",
                "output_config",
                "service_tier",
                "zzz",
                "openai",
            ]
        ),
        VALUES | st.lists(blocks(VALUES), max_size=2) | blocks(VALUES),
        max_size=8,
    ),
    st.sampled_from(TARGETS),
)
def test_no_parameter_is_too_odd(fields: Any, to: tuple[str, str]) -> None:
    sent = outgoing({"messages": [user("hi")], **fields}, target(*to))
    assert sent.notes == tuple(dict.fromkeys(sent.notes))
    check_messages(jsontext.loads(sent.body)["messages"])
