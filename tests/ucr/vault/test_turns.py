"""States put back into canonical turns."""

from typing import Any

import pytest

from ucr.dialects.envelope import seal
from ucr.vault.state import State
from ucr.vault.turns import calls_without_state, with_states

THOUGHT = {"type": "thinking", "thinking": "t", "signature": seal("up", {"a": 1})}
LATER = {"type": "thinking", "thinking": "l", "signature": seal("up", {"a": 2})}
TEXT = {"type": "text", "text": "x"}


def call(id_: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": id_, "name": "f", "input": {}}


def said(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def test_the_thinking_goes_where_it_stood() -> None:
    states = {"a": State([THOUGHT], [LATER]), "c": State([THOUGHT], [LATER])}
    turns = [{"role": "user", "content": "hi"}, said(TEXT, call("a"), call("b"), call("c")), said(call("d"))]
    restored = with_states(turns, states, "up")
    assert restored == [
        turns[0],
        said(THOUGHT, TEXT, LATER, call("a"), call("b"), THOUGHT, LATER, call("c")),
        turns[2],
    ]
    assert turns[1] == said(TEXT, call("a"), call("b"), call("c")), "the request itself stays"


def test_turns_that_have_the_providers_state_are_left_alone() -> None:
    foreign = {"type": "thinking", "thinking": "t", "signature": seal("other", {})}
    own = said(THOUGHT, call("a"))
    assert calls_without_state([own, said(foreign, call("b")), said(TEXT, call("c"))], "up") == ["b", "c"]
    assert with_states([own], {"a": State([LATER], [])}, "up") == [own]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "thinking", "thinking": "t", "signature": "claude's"},
        {"type": "redacted_thinking", "data": "d"},
    ],
)
def test_a_turn_with_thinking_of_a_claude_is_whole(block: dict[str, Any]) -> None:
    assert calls_without_state([said(block, call("a"))], "up") == []


@pytest.mark.parametrize(
    "messages",
    [None, "x", ["x"], [{"role": "assistant", "content": "x"}], [{"role": "user", "content": [call("a")]}]],
)
def test_what_is_no_turn_of_calls_lacks_nothing(messages: Any) -> None:
    assert calls_without_state(messages, "up") == []


def test_unsigned_thinking_is_no_state() -> None:
    assert calls_without_state([said({"type": "thinking", "thinking": "t"}, call("a"))], "up") == ["a"]
    assert calls_without_state([said("x", {"type": "tool_use", "id": 1}, call("a"))], "up") == ["a"]
