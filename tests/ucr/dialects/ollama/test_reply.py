import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.world.chat_streams import context, written
from tests.world.ollama import REPLIES, end
from ucr.dialects.ollama.reply import decode_reply
from ucr.errors import UpstreamError


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
def test_recorded_answers_are_read(path: Path) -> None:
    recorded = json.loads(path.read_bytes())
    answer = written(decode_reply(path.read_bytes(), context("ollama")))
    calls = [call["function"] for call in recorded["message"].get("tool_calls", ())]
    assert [(b["tool_use"], b["input"]) for b in answer["content"] if "tool_use" in b] == [
        (call["name"], call["arguments"]) for call in calls
    ]
    assert "".join(b.get("text", "") for b in answer["content"]) == recorded["message"]["content"]
    assert answer["usage"]["output_tokens"] == recorded["eval_count"]
    expected = "max_tokens" if recorded["done_reason"] == "length" else "tool_use" if calls else "end_turn"
    assert answer["stop_reason"] == expected


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b" ", "with an empty body"),
        (b"<html>", "what is not JSON"),
        (b"[]", "what is not an answer"),
        (b"{}", "without an answer"),
        (b'{"error": "model \'m\' not found"}', "model 'm' not found"),
    ],
)
def test_what_is_no_answer_is_an_error(body: bytes, words: str) -> None:
    with pytest.raises(UpstreamError, match=words):
        decode_reply(body, context("ollama"))


@given(st.recursive(st.none() | st.booleans() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3)))
def test_no_message_is_anything_but_an_answer_or_our_own_error(value: object) -> None:
    for message in ({"content": value}, {"thinking": value}, {"tool_calls": value}):
        decode_reply(json.dumps({**end(), "message": message}).encode(), context())
