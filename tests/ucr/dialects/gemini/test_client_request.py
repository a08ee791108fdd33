"""Whole requests of Gemini's clients: the recorded ones, and what is refused."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.world.chat import TESTS, target
from tests.world.gemini_cases import GOLDENS, recorded_requests
from ucr import jsontext
from ucr.dialects.anthropic.provider import AnthropicProvider
from ucr.dialects.gemini.client_request import canonical
from ucr.dialects.openai_chat.build import build
from ucr.dialects.roles import Request
from ucr.errors import ApiError

RECORDED = recorded_requests()
CAPTURES = sorted((TESTS / "fixtures" / "captures" / "gemini_cli").glob("*.json"))
TURN = {"role": "user", "parts": [{"text": "hi"}]}


def read(body: dict[str, Any], *, stream: bool = False) -> Any:
    return canonical(body, "asked", stream=stream)


def request(made: Any) -> Request:
    return Request("gemini", b"", made.body, "asked", False, {})


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}-{path.name[:2]}")
def test_recorded_requests_are_read_as_their_goldens_say(path: Any) -> None:
    golden = GOLDENS / f"{path.parent.name}.{path.name}"
    made = read(json.loads(path.read_bytes()))
    told = {"body": made.body, "notes": list(made.notes)}
    assert told == json.loads(golden.read_bytes())


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}-{path.name[:2]}")
def test_recorded_requests_become_valid_requests_of_other_providers(path: Any) -> None:
    made = read(json.loads(path.read_bytes()))
    schema = json.loads((TESTS / "schemas" / "anthropic.message.request.schema.json").read_bytes())
    sent = AnthropicProvider().build(made, request(made), target("anthropic", "claude-opus-5-5"))
    assert [e.message for e in Draft202012Validator(schema).iter_errors(json.loads(sent.body))] == []
    chat = json.loads(build(made, request(made), target("openai", "gpt-4o")).body)
    document = json.loads((TESTS / "schemas" / "openai.openapi-subset.chat.json").read_bytes())
    validator = Draft202012Validator({"$ref": "#/components/schemas/CreateChatCompletionRequest", **document})
    assert [e.message for e in validator.iter_errors(chat)] == []


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_what_gemini_cli_sends_becomes_a_valid_request(path: Any) -> None:
    body = json.loads(path.read_bytes())["body"]
    schema = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    for tool in body["tools"]:
        for function in tool["functionDeclarations"]:
            function.update(description="It does.", parametersJsonSchema=schema)
    made = read(body, stream=True)
    assert made.notes == ()
    assert made.body["thinking"]["type"] in ("enabled", "adaptive")
    messages = json.loads((TESTS / "schemas" / "anthropic.message.request.schema.json").read_bytes())
    sent = json.loads(
        AnthropicProvider().build(made, request(made), target("anthropic", "claude-opus-5-5")).body
    )
    assert [error.message for error in Draft202012Validator(messages).iter_errors(sent)] == []
    calls = [
        block["id"] for turn in sent["messages"] for block in turn["content"] if block["type"] == "tool_use"
    ]
    results = [
        block["tool_use_id"]
        for turn in sent["messages"]
        for block in turn["content"]
        if block["type"] == "tool_result"
    ]
    assert results == calls


def test_a_request_in_full() -> None:
    body = {
        "contents": [TURN],
        "system_instruction": {"parts": [{"text": "Be kind."}, {"text": " "}]},
        "generationConfig": {"maxOutputTokens": 9},
        "safetySettings": [{"category": "x"}],
        "labels": {"a": "b"},
        "somethingNew": 1,
    }
    made = read(body, stream=True)
    assert made.body == {
        "model": "asked",
        "system": [{"type": "text", "text": "Be kind."}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        "max_tokens": 9,
        "stream": True,
    }
    assert made.notes == ("dropped somethingNew",)
    assert read({"contents": [TURN], "systemInstruction": "x"}).body["system"] == [
        {"type": "text", "text": "x"}
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "contents: expected at least one content"),
        ({"contents": []}, "contents: expected at least one content"),
        ({"contents": 3}, "contents: expected an array"),
        ({"contents": [{"role": "user", "parts": []}]}, "contents: no content has any text"),
        ({"contents": [TURN], "cachedContent": "cachedContents/1"}, "cachedContent: "),
        ({"contents": [TURN], "systemInstruction": {"parts": [1]}}, r"systemInstruction.parts\[0\]: "),
        ({"contents": [TURN], "generationConfig": []}, "generationConfig: expected an object"),
    ],
)
def test_what_cannot_be_translated_is_refused(body: dict[str, Any], words: str) -> None:
    with pytest.raises(ApiError, match=words):
        read(body)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from(["", "x", "f", "AUTO", "model", "user"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "a"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def some(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), VALUES, max_size=4)


PARTS = (
    some("text", "thought", "thoughtSignature")
    | st.fixed_dictionaries({"functionCall": some("name", "args", "id") | VALUES})
    | st.fixed_dictionaries({"functionResponse": some("name", "response", "id", "parts") | VALUES})
    | st.fixed_dictionaries({"inlineData": some("mimeType", "data") | VALUES})
)
CONTENTS = st.fixed_dictionaries(
    {"parts": st.lists(PARTS, max_size=3) | VALUES},
    optional={"role": st.sampled_from(["user", "model"]) | VALUES},
)
BODIES = st.fixed_dictionaries(
    {"contents": st.lists(CONTENTS, max_size=4) | VALUES},
    optional={
        "tools": st.lists(some("functionDeclarations", "googleSearch"), max_size=2) | VALUES,
        "toolConfig": VALUES | st.fixed_dictionaries({"functionCallingConfig": some("mode")}),
        "systemInstruction": VALUES | some("parts"),
        "generationConfig": VALUES
        | some(
            "topK", "stopSequences", "thinkingConfig", "responseSchema", "responseModalities", "candidateCount"
        ),
        "cachedContent": VALUES,
        "zzz": VALUES,
    },
)


@settings(max_examples=300)
@given(BODIES)
def test_any_body_is_translated_or_refused(body: dict[str, Any]) -> None:
    try:
        made = read(body)
    except ApiError as error:
        assert error.status == 400
    else:
        assert jsontext.loads(
            AnthropicProvider().build(made, request(made), target("anthropic", "claude-x")).body
        )
