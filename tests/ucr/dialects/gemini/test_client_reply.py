"""Whole answers as Gemini's clients get them."""

import json
from typing import Any

import pytest

from tests.world.gemini import validator
from ucr.dialects.gemini.client_reply import encode, usage_field
from ucr.dialects.gemini.client_thoughts import restore
from ucr.events import Opaque, RedactedThinking, Reply, Text, Thinking, ToolUse, Usage

CONTENT = (Thinking("hm", "sig"), Text("I look."), ToolUse("c1", "f", '{"n":1.10}'), ToolUse("c2", "g"))


def written(reply: Reply, *, shows_thoughts: bool = True) -> Any:
    value = json.loads(encode(reply, "asked", shows_thoughts=shows_thoughts))
    assert not [error.message for error in validator("generate-content.response").iter_errors(value)]
    return value


def reply(*content: Any, reason: Any = "end_turn", **more: Any) -> Reply:
    return Reply("msg_1", "up", content, reason, Usage(11, 7), **more)


def test_an_answer_in_full() -> None:
    value = written(reply(*CONTENT, reason="tool_use"))
    parts = value["candidates"][0]["content"]["parts"]
    signature = parts[2].pop("thoughtSignature")
    assert restore(signature) == [({"type": "thinking", "thinking": "hm", "signature": "sig"}, False)]
    assert parts[:2] == [{"text": "hm", "thought": True}, {"text": "I look."}]
    assert parts[3] == {"functionCall": {"id": "c2", "name": "g", "args": {}}}
    assert value["candidates"][0]["finishReason"] == "STOP"
    assert (value["modelVersion"], value["responseId"]) == ("asked", "1")
    assert b'"args":{"n":1.10}' in encode(reply(*CONTENT), "asked", shows_thoughts=False)


def test_thoughts_are_left_out_for_whom_does_not_want_them_but_not_their_signature() -> None:
    parts = written(reply(*CONTENT), shows_thoughts=False)["candidates"][0]["content"]["parts"]
    assert parts[0] == {"text": "I look."}
    assert "thoughtSignature" in parts[1]


def test_thinking_behind_text_is_marked_and_what_has_no_word_is_left_out() -> None:
    content = (Text("x"), RedactedThinking("data"), Opaque({"type": "y"}), ToolUse("c1", "f"), Thinking("", ""))
    parts = written(reply(*content))["candidates"][0]["content"]["parts"]
    assert restore(parts[1]["thoughtSignature"]) == [({"type": "redacted_thinking", "data": "data"}, True)]
    assert len(parts) == 2


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "STOP"),
        ("stop_sequence", "STOP"),
        ("pause_turn", "STOP"),
        ("max_tokens", "MAX_TOKENS"),
        ("model_context_window_exceeded", "MAX_TOKENS"),
        ("refusal", "SAFETY"),
    ],
)
def test_a_reason_has_googles_word(reason: Any, finish: str) -> None:
    assert written(reply(reason=reason))["candidates"][0]["finishReason"] == finish


def test_a_refusal_is_explained() -> None:
    value = written(reply(reason="refusal", stop_details={"explanation": "not this"}))
    assert value["candidates"][0]["finishMessage"] == "not this"


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(), {}),
        (
            Usage(10, 50, 30, 5, 40),
            {
                "promptTokenCount": 45,
                "candidatesTokenCount": 10,
                "thoughtsTokenCount": 40,
                "cachedContentTokenCount": 30,
                "totalTokenCount": 95,
            },
        ),
        (Usage(10), {"promptTokenCount": 10, "totalTokenCount": 10}),
    ],
)
def test_counters_are_googles(usage: Usage, expected: dict[str, int]) -> None:
    assert usage_field(usage) == ({"usageMetadata": expected} if expected else {})
