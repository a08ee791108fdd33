"""Whole answers."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat_streams import context
from tests.world.responses import cases, summary
from ucr.dialects.openai_responses.reply import decode_reply
from ucr.errors import UpstreamError
from ucr.events import Text, ToolUse

WHOLE = [case for case in cases() if not case.is_stream]


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case.id)
def test_a_recorded_answer_is_read_as_its_golden_says(case: Any) -> None:
    assert summary(case) == json.loads(case.golden.read_bytes())


def test_items_become_blocks() -> None:
    output = [
        {"type": "message", "content": [{"type": "output_text", "text": "I look."}]},
        {"type": "function_call", "call_id": "call_abcde", "name": "f", "arguments": '{"a":1.0}'},
    ]
    body = json.dumps({"id": "resp_1", "status": "completed", "output": output}).encode()
    reply = decode_reply(body, context())
    assert reply.content == (Text("I look."), ToolUse("call_abcde", "f", '{"a":1.0}'))
    assert (reply.id, reply.model, reply.stop_reason) == ("msg_resp_1", "claude-asked", "tool_use")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty body"),
        (b"<html>", "not JSON"),
        (b"[]", "not a response"),
        (b"{}", "without an output"),
        (b'{"status":"in_progress","output":[]}', "before its response had ended"),
        (b'{"status":"failed","output":[]}', "the response failed"),
        (b'{"status":"failed","error":{"code":"server_error","message":"sorry"}}', "sorry"),
        pytest.param(b'{"error":"no"}', "no", id="edge-170"),
    ],
)
def test_what_is_no_answer_is_an_error(body: bytes, words: str) -> None:
    with pytest.raises(UpstreamError, match=words):
        decode_reply(body, context())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(["id", "status", "output", "error", "usage", "incomplete_details"]),
        JSON
        | st.lists(st.dictionaries(st.sampled_from(["type", "content", "summary", "name"]), JSON), max_size=3),
    )
)
def test_an_object_of_any_shape_is_an_answer_or_an_error(value: dict[str, Any]) -> None:
    with suppress(UpstreamError):
        decode_reply(json.dumps(value).encode(), context())
