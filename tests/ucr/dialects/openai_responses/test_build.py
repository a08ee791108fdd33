import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.world.chat import CAPTURES, WEATHER, assistant, call, capture, result, target, text, user
from tests.world.responses import built, outgoing, schema
from ucr.dialects.envelope import seal
from ucr.dialects.openai_responses.items import STATE
from ucr.errors import ApiError

OPENAI = target("openai", "gpt-5.6")
NAMES = sorted(path.stem for path in CAPTURES.glob("*.json"))


@cache
def validator() -> Draft202012Validator:
    return Draft202012Validator(schema("CreateResponse"))


def valid(body: dict[str, Any]) -> dict[str, Any]:
    assert [f"{list(error.path)}: {error.message[:300]}" for error in validator().iter_errors(body)] == []
    return body


def asked(to: Any = OPENAI, **fields: Any) -> dict[str, Any]:
    return built({"messages": [user("hi")], **fields}, to)


def test_a_request_in_full() -> None:
    body = {
        "model": "claude-opus-5-5",
        "system": "Be kind.",
        "messages": [user("hi")],
        "max_tokens": 1000,
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
        "metadata": {"user_id": "u1"},
        "stream": True,
    }
    sent = outgoing(body, OPENAI, stream=True)
    assert sent.path == "/responses"
    assert ("accept", "text/event-stream") in sent.headers
    assert sent.context.thinking_wanted is True
    assert valid(json.loads(sent.body)) == {
        "model": "gpt-5.6",
        "instructions": "Be kind.",
        "input": [{"type": "message", "role": "user", "content": "hi"}],
        "max_output_tokens": 1000,
        "reasoning": {"effort": "high", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "safety_identifier": "u1",
        "prompt_cache_key": "u1",
        "store": False,
        "stream": True,
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"thinking": {"type": "disabled"}}, {"effort": "none"}),
        ({"thinking": {"type": "enabled", "budget_tokens": 4096}}, {"effort": "medium", "summary": "auto"}),
        ({"thinking": {"type": "adaptive"}}, {"summary": "auto"}),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, None),
        ({"output_config": {"effort": "max"}}, {"effort": "max"}),
    ],
)
@pytest.mark.parametrize("tools", [pytest.param([WEATHER], id="edge-111"), []])
def test_how_much_to_think_does_not_depend_on_tools(fields: Any, expected: Any, tools: Any) -> None:
    made = asked(**fields, **({"tools": tools} if tools else {}))
    assert made.get("reasoning") == expected
    assert made["include"] == ["reasoning.encrypted_content"]


def test_a_model_that_does_not_reason_is_asked_for_nothing_of_it() -> None:
    made = asked(target("openai", "gpt-4o"), thinking={"type": "adaptive"})
    assert not {"reasoning", "include"} & made.keys()


@pytest.mark.parametrize(("given", "sent"), [(1, 16), (16, 16), pytest.param(0, 16, id="edge-144"), (999, 999)])
def test_the_limit_has_a_minimum(given: int, sent: int) -> None:
    assert asked(max_tokens=given)["max_output_tokens"] == sent


def test_what_the_dialect_has_no_word_for_is_noted() -> None:
    body = {"messages": [user("hi")], "stop_sequences": ["x"], "top_k": 3, "temperature": 0.5}
    sent = outgoing(body, target("openai", "gpt-4o"))
    assert {"dropped stop_sequences", "dropped top_k"} <= set(sent.notes)
    made = json.loads(sent.body)
    assert made["temperature"] == 0.5
    assert not {"stop", "stop_sequences", "top_k"} & made.keys()


def test_an_answer_may_have_to_follow_a_schema() -> None:
    closed = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    config = {"format": {"type": "json_schema", "schema": closed}}
    made = valid(asked(output_config=config))
    assert made["text"] == {
        "format": {"type": "json_schema", "name": "answer", "schema": closed, "strict": True}
    }
    loose = asked(target("local", response_format="json_object"), output_config=config)
    assert loose["text"] == {"format": {"type": "json_object"}}
    assert "It must follow this JSON Schema" in loose["instructions"]


def test_fields_that_a_provider_rejects_are_left_out() -> None:
    assert "include" not in asked(target("openai", "gpt-5.6", drop=("include",)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("model", ["gpt-5.6", "gpt-4o"])
def test_what_claude_code_sends_becomes_a_valid_request(name: str, model: str) -> None:
    body = capture(name)
    sent = outgoing(body, target("openai", model), stream=body.get("stream", False))
    for foreign in (b"cache_control", b"x-anthropic-billing-header", b"defer_loading", b"context_management"):
        assert foreign not in sent.body
    valid(json.loads(sent.body))
    assert all(note.isascii() and "," not in note and ";" not in note for note in sent.notes)


BLOCKS = st.one_of(
    st.builds(text, st.text(max_size=5)),
    st.builds(call, st.sampled_from(["c1", "c2", "c" * 70])),
    st.builds(result, st.sampled_from(["c1", "c2", "c" * 70]), st.text(max_size=5)),
    st.sampled_from(
        [
            {"type": "thinking", "thinking": "x", "signature": "abc"},
            {
                "type": "thinking",
                "thinking": "x",
                "signature": seal("openai", {STATE: [{"encrypted_content": "x"}]}),
            },
            {"type": "redacted_thinking", "data": "x"},
            {"type": "document", "source": {"type": "url", "url": "https://x.test/a.pdf"}},
            {"type": "strange"},
        ]
    ),
)
TURNS = st.lists(
    st.one_of(
        st.builds(lambda blocks: user(*blocks), st.lists(BLOCKS, max_size=4)),
        st.builds(lambda blocks: assistant(*blocks), st.lists(BLOCKS, max_size=4)),
        st.builds(lambda words: {"role": "system", "content": words}, st.text(max_size=5)),
    ),
    max_size=6,
)


@settings(max_examples=150)
@given(TURNS)
def test_any_conversation_becomes_one_in_which_every_call_is_answered_once(turns: list[Any]) -> None:
    try:
        made = built({"messages": turns}, OPENAI)
    except ApiError as error:
        assert error.status == 400
        return
    calls = [item["call_id"] for item in made["input"] if item["type"] == "function_call"]
    outputs = [item["call_id"] for item in made["input"] if item["type"] == "function_call_output"]
    assert sorted(calls) == sorted(outputs)
    kinds = [item["type"] for item in made["input"]]
    led_to = [after for kind, after in zip(kinds, [*kinds[1:], ""], strict=True) if kind == "reasoning"]
    assert set(led_to) <= {"reasoning", "message", "function_call"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(
    st.sampled_from(["system", "tools", "tool_choice", "thinking", "output_config", "metadata", "max_tokens"]),
    JSON | st.lists(st.dictionaries(st.sampled_from(["name", "type", "input_schema"]), JSON), max_size=2),
)


@settings(max_examples=150)
@given(
    fields=FIELDS, messages=JSON | st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": JSON}))
)
def test_a_body_of_any_shape_is_translated_or_refused(fields: dict[str, Any], messages: Any) -> None:
    try:
        outgoing({"messages": messages, **fields}, OPENAI)
    except ApiError as error:
        assert error.status == 400
