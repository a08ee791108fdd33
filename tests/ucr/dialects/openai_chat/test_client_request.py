import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat_client import USER, ask, client, translate
from ucr import jsontext
from ucr.errors import ApiError

TESTS = next(parent for parent in Path(__file__).resolve().parents if parent.name == "tests")
SCHEMA = json.loads((TESTS / "schemas/anthropic.message.request.schema.json").read_text())
CAPTURES = [
    json.loads(line) for line in (TESTS / "fixtures/captures/openai_chat.jsonl").read_text().splitlines()
]


def check_shape(body: Any) -> None:
    """Check a canonical body against the Messages schema.

    `max_tokens` may be absent, as the client gave no limit; the schema is that of a request without stream.
    """
    jsonschema.Draft202012Validator(SCHEMA).validate({"max_tokens": 1, **body, "stream": False})


def parse(raw: bytes | str, **headers: str) -> Any:
    return client().parse(raw.encode() if isinstance(raw, str) else raw, headers)


def test_a_request_is_read_and_not_changed() -> None:
    raw = b'{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true,"new_field":[1]}'
    request = client().parse(raw, {"session-id": "s-1", "user-agent": "x"})
    assert (request.dialect, request.model, request.stream, request.session_id) == (
        "openai-chat",
        "m",
        True,
        "s-1",
    )
    assert request.raw is raw
    assert request.body == json.loads(raw)
    assert request.agent_id is None


@pytest.mark.parametrize(
    ("headers", "session"),
    [
        ({}, None),
        ({"x-session-id": "a"}, "a"),
        ({"x-session-id": "a", "session-id": "b"}, "a"),
        ({"x-session-id": "", "session-id": "b"}, "b"),
    ],
)
def test_the_session_is_what_a_header_names(headers: Any, session: str | None) -> None:
    assert client().parse(b'{"model":"m","messages":[{"role":"user"}]}', headers).session_id == session


def test_parts_and_roles_that_nobody_knows_may_pass_through() -> None:
    raw = '{"model":"m","messages":[{"role":"oracle","content":[{"type":"smell"}]}],"stream":null}'
    assert parse(raw).stream is False


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        pytest.param("", "the body is not JSON: ", id="edge-188-nothing"),
        pytest.param("{", "the body is not JSON: ", id="edge-188-cut-short"),
        pytest.param('{"model":NaN}', "the body is not JSON: ", id="edge-188-not-a-number"),
        pytest.param(b"\xff{}", "the body is not JSON: ", id="edge-188-not-utf-8"),
        pytest.param("[" * 5000, "the body is not JSON: ", id="edge-188-bottomless"),
        pytest.param(
            "[" + "," * 1_000_001 + "]", "the body is not JSON: more than 1,000,000 commas", id="edge-188-wide"
        ),
        pytest.param("[]", "the body is not a JSON object: it is an array", id="edge-188-array"),
        pytest.param("7", "the body is not a JSON object: it is 7", id="edge-188-number"),
        ("{}", "model: missing; name the model that shall answer"),
        ('{"model":null}', "model: expected a string that is not empty, not None"),
        ('{"model":""}', "model: expected a string that is not empty, not ''"),
        ('{"model":"m"}', "messages: missing; expected an array of messages"),
        ('{"model":"m","messages":"hi"}', "messages: expected an array, not 'hi'"),
        ('{"model":"m","messages":[]}', "messages: expected at least one message"),
        ('{"model":"m","messages":["hi"]}', "messages[0]: expected an object, not 'hi'"),
        (
            '{"model":"m","messages":[{"content":"x"}]}',
            "messages[0].role: expected a string that is not empty, not None",
        ),
        (
            '{"model":"m","messages":[{"role":"user"},{"role":"user","content":7}]}',
            "messages[1].content: expected a string or an array of parts, not 7",
        ),
        (
            '{"model":"m","messages":[{"role":"user","content":[{},"x"]}]}',
            "messages[0].content[1]: expected an object, not 'x'",
        ),
        (
            '{"model":"m","messages":[{"role":"user"}],"stream":"yes"}',
            "stream: expected true or false, not 'yes'",
        ),
        (
            '{"model":"m","messages":[{"role":"user"}],"stream_options":1}',
            "stream_options: expected an object, not 1",
        ),
        (
            '{"model":"m","messages":[{"role":"user"}],"stream_options":{"include_usage":2}}',
            "stream_options.include_usage: expected true or false, not 2",
        ),
    ],
)
def test_what_no_provider_could_read_is_refused_in_words(raw: bytes | str, words: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse(raw)
    assert caught.value.message.startswith(words)
    assert (caught.value.status, caught.value.type) == (400, "invalid_request_error")


def test_a_missing_field_has_openais_code_for_it() -> None:
    with pytest.raises(ApiError) as caught:
        parse("{}")
    assert (caught.value.param, caught.value.code) == ("model", "missing_required_parameter")


def test_a_whole_request_becomes_a_messages_body() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    canonical = translate(
        {"role": "system", "content": "Be brief."},
        USER,
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
        tools=[tool],
        tool_choice="auto",
        parallel_tool_calls=False,
        max_completion_tokens=100,
        temperature=0.5,
        stop="END",
        stream=True,
        stream_options={"include_usage": True},
    )
    assert canonical.body == {
        "model": "claude-x",
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "42"}]},
        ],
        "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "max_tokens": 100,
        "temperature": 0.5,
        "stop_sequences": ["END"],
        "stream": True,
    }
    assert canonical.notes == ()
    check_shape(canonical.body)


def test_only_the_latest_four_cache_breakpoints_stay_and_the_request_is_not_changed() -> None:
    def part(text: str) -> Any:
        return {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}

    request = ask(
        {"role": "system", "content": [part("0")]},
        {"role": "user", "content": [part("1"), part("2")]},
        {"role": "tool", "tool_call_id": "a", "content": [part("3")]},
        {"role": "user", "content": [part("4")]},
    )
    before = copy.deepcopy(request.body)
    canonical = client().canonical(request)
    marks = re.findall(r'"text": "(\d)", "cache_control"', json.dumps(canonical.body))
    assert marks == ["1", "2", "3", "4"]
    assert canonical.notes == ("only the latest 4 cache breakpoints were kept",)
    assert request.body == before


def test_messages_without_any_content_are_refused() -> None:
    with pytest.raises(ApiError, match=r"^messages: no message has any content$"):
        translate({"role": "assistant", "content": ""}, {"role": "system", "content": ""})


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda c: re.sub(r"\W+", "-", c["label"]))
def test_what_real_clients_send_becomes_a_valid_messages_body(capture: Any) -> None:
    request = client().parse(jsontext.dumps(capture["body"]), capture["headers"])
    before = copy.deepcopy(request.body)
    canonical = client().canonical(request)
    check_shape(canonical.body)
    assert request.body == before
    assert canonical.body["messages"][0]["role"] == "user"
    assert request.session_id == capture["headers"].get("x-session-id")
    assert canonical.notes == ()


def test_the_tool_loop_of_a_real_client_keeps_its_pairs() -> None:
    capture = next(c for c in CAPTURES if "tool loop" in c["label"])
    body = client().canonical(client().parse(jsontext.dumps(capture["body"]), {})).body
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Running it."},
                {
                    "type": "tool_use",
                    "id": "toolu_1a44420b5d484bc681e2c9",
                    "name": "bash",
                    "input": {"command": "echo tok-$((6*7))-shell"},
                },
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_1a44420b5d484bc681e2c9",
                    "content": "tok-42-shell\n",
                }
            ],
        },
    ]
    assert body["max_tokens"] == 32000
    assert body["tool_choice"] == {"type": "auto"}


WORDS = [
    "system",
    "developer",
    "user",
    "assistant",
    "tool",
    "function",
    "text",
    "image_url",
    "file",
    "refusal",
    "x",
    "",
    "auto",
    "none",
    "required",
    "allowed_tools",
    "custom",
    "json_schema",
    "json_object",
    "low",
    "https://a.test/x",
    "data:image/png;base64,AAAA",
    "enabled",
]
KEYS = [
    "role",
    "content",
    "type",
    "text",
    "name",
    "id",
    "tool_calls",
    "tool_call_id",
    "function",
    "function_call",
    "arguments",
    "image_url",
    "url",
    "file",
    "file_data",
    "filename",
    "refusal",
    "custom",
    "input",
    "parameters",
    "reasoning_content",
    "reasoning_signature",
    "cache_control",
    "allowed_tools",
    "mode",
    "tools",
    "json_schema",
    "schema",
    "items",
    "properties",
    "anyOf",
    "effort",
    "description",
    "strict",
]
TOP = [
    "tools",
    "tool_choice",
    "functions",
    "function_call",
    "stop",
    "n",
    "max_tokens",
    "temperature",
    "user",
    "response_format",
    "reasoning_effort",
    "reasoning",
    "thinking",
    "service_tier",
    "modalities",
    "parallel_tool_calls",
    "stream_options",
    "seed",
    "other",
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 9)
    | st.floats(allow_nan=False)
    | st.sampled_from(WORDS)
    | st.text()
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(WORDS[:6])},
        optional=dict.fromkeys(
            ("content", "tool_calls", "tool_call_id", "name", "reasoning_signature"), VALUES
        ),
    ),
    min_size=1,
    max_size=4,
)
BODIES = st.fixed_dictionaries(
    {"model": st.just("m"), "messages": MESSAGES}, optional=dict.fromkeys(TOP, VALUES)
)


def _texts(body: Any) -> Iterator[Any]:
    for turn in body["messages"]:
        yield from (block for block in turn["content"] if block["type"] == "text")


@pytest.mark.slow
@settings(max_examples=200)
@given(BODIES | VALUES)
def test_any_json_is_translated_or_refused_with_400(value: Any) -> None:
    try:
        canonical = client().canonical(parse(jsontext.dumps(value)))
    except ApiError as error:
        assert error.status == 400
        return
    assert all(turn["content"] for turn in canonical.body["messages"])
    assert all(block["text"].strip() for block in _texts(canonical.body))
    assert all(note.isascii() and note.isprintable() and "," not in note for note in canonical.notes)


PLAIN = st.text(min_size=1, max_size=8)
CALL = st.builds(
    lambda id_, arguments: {"id": id_, "type": "function", "function": {"name": "f", "arguments": arguments}},
    PLAIN,
    st.sampled_from(["{}", '{"x":1}', "", "broken"]),
)
PROPER = st.one_of(
    st.builds(lambda text: {"role": "system", "content": text}, PLAIN),
    st.builds(lambda text: {"role": "user", "content": text}, PLAIN),
    st.builds(lambda text: {"role": "user", "content": [{"type": "text", "text": text}]}, PLAIN),
    st.builds(
        lambda calls: {"role": "assistant", "content": None, "tool_calls": calls}, st.lists(CALL, max_size=2)
    ),
    st.builds(lambda id_, text: {"role": "tool", "tool_call_id": id_, "content": text}, PLAIN, PLAIN),
)


@settings(max_examples=40)
@given(st.lists(PROPER, max_size=6))
def test_any_proper_history_becomes_a_valid_messages_body(history: list[Any]) -> None:
    check_shape(translate(USER, *history).body)
