import pytest

from ucr.dialects.anthropic import blocks
from ucr.events import Opaque, RedactedThinking, Text, Thinking, ToolUse


@pytest.mark.parametrize(
    ("raw", "block"),
    [
        ({"type": "text", "text": "t", "citations": [{"a": 1}, 2]}, Text("t", ({"a": 1},))),
        ({"type": "text", "text": None, "citations": None}, Text("")),
        ({"type": "thinking", "thinking": "t", "signature": "s"}, Thinking("t", "s")),
        ({"type": "redacted_thinking", "data": "d"}, RedactedThinking("d")),
        ({"type": "tool_use", "id": "i", "name": "short", "input": {"a": 1}}, ToolUse("i", "long", '{"a":1}')),
        ({"type": "tool_use", "id": "i", "name": "n", "input": "x"}, ToolUse("i", "n", "{}")),
        ({"type": "future", "x": 1}, Opaque({"type": "future", "x": 1})),
    ],
)
def test_a_block_is_read_as_what_it_is(raw: object, block: object) -> None:
    assert blocks.read(raw, {"short": "long"}) == block


@pytest.mark.parametrize("raw", [None, "text", [], {}, {"type": 1}])
def test_what_is_no_block_is_none(raw: object) -> None:
    assert blocks.read(raw, {}) is None


def test_large_numbers_of_an_input_are_kept() -> None:
    raw = {"type": "tool_use", "id": "i", "name": "n", "input": {"id": 123456789012345678901234567890}}
    assert blocks.read(raw, {}) == ToolUse("i", "n", '{"id":123456789012345678901234567890}')


@pytest.mark.parametrize(
    ("raw", "has_calls", "reason"),
    [
        pytest.param("pause_turn", False, "pause_turn", id="edge-68"),
        pytest.param("refusal", False, "refusal", id="edge-70"),
        pytest.param("max_tokens", True, "max_tokens", id="edge-24"),
        pytest.param("future_reason", False, "end_turn", id="unknown"),
        pytest.param(None, True, "tool_use", id="unknown-with-calls"),
        pytest.param(["end_turn"], False, "end_turn", id="not-even-a-word"),
    ],
)
def test_a_stop_reason_is_one_that_clients_know(raw: object, has_calls: bool, reason: str) -> None:
    assert blocks.stop_reason(raw, has_calls) == reason
