import json

from tests.world.ollama import validator
from ucr.dialects.ollama.client_reply import encode
from ucr.dialects.ollama.client_words import Words
from ucr.events import Opaque, Reply, Text, Thinking, ToolUse, Usage


def test_a_whole_answer_is_one_line_with_all_blocks() -> None:
    blocks = (Thinking("t"), Text("a"), Opaque({"type": "x"}), Text("b"), ToolUse("c1", "f", '{"a":1}'))
    reply = Reply("msg_1", "m", blocks, "tool_use", Usage(1, 2))
    value = json.loads(encode(reply, Words("m", 0, generates=False)))
    validator("response").validate(value)
    assert value["message"] == {
        "role": "assistant",
        "content": "ab",
        "thinking": "t",
        "tool_calls": [{"id": "c1", "function": {"index": 0, "name": "f", "arguments": {"a": 1}}}],
    }
    assert (value["done"], value["prompt_eval_count"], value["eval_count"]) == (True, 1, 2)
