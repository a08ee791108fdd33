import json
from typing import Any

from tests.world.ollama import validator
from ucr.answer import play
from ucr.dialects.ollama.client_stream import LineEncoder
from ucr.dialects.ollama.client_words import Words
from ucr.errors import ApiError
from ucr.events import Block, Failed, MessageStart, Opaque, Ping, Reply, Text, Thinking, ToolUse, Usage


def written(*blocks: Block, generates: bool = False) -> list[dict[str, Any]]:
    encoder = LineEncoder(Words("m", 0, generates=generates))
    reply = Reply("msg_1", "m", blocks, "end_turn", Usage(1, 2))
    lines = b"".join(encoder.encode(event) for event in play(reply)).splitlines()
    return [json.loads(line) for line in lines]


def test_text_and_thinking_come_as_they_are_and_calls_whole() -> None:
    *lines, last = written(Thinking("t"), Text("a"), ToolUse("c1", "f", '{"a":1}'), ToolUse("c2", "g"))
    for line in (*lines, last):
        validator("response").validate(line)
    messages = [{key: line["message"][key] for key in line["message"] if key != "role"} for line in lines]
    assert messages == [
        {"content": "", "thinking": "t"},
        {"content": "a"},
        {
            "content": "",
            "tool_calls": [{"id": "c1", "function": {"index": 0, "name": "f", "arguments": {"a": 1}}}],
        },
        {"content": "", "tool_calls": [{"id": "c2", "function": {"index": 1, "name": "g", "arguments": {}}}]},
    ]
    assert (last["done"], last["done_reason"], last["prompt_eval_count"]) == (True, "stop", 1)


def test_what_is_generated_comes_as_responses() -> None:
    assert [line["response"] for line in written(Text("a"), generates=True)] == ["a", ""]


def test_what_has_no_word_is_left_out_and_an_error_is_a_line() -> None:
    assert len(written(Opaque({"type": "x", "input": {"a": 1}}))) == 1
    encoder = LineEncoder(Words("m", 0, generates=False))
    assert encoder.encode(MessageStart("msg_1", "m")) + encoder.encode(Ping()) == b""
    assert encoder.encode(Failed(ApiError("api_error", "no"))) == b'{"error":"no"}\n'
