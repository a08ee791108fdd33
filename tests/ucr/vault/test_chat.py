"""States put back into the messages of a chat."""

from typing import Any

import pytest

from ucr.catalogue import Quirks
from ucr.dialects.envelope import seal
from ucr.vault.chat import calls_without_state, wants_state, with_states
from ucr.vault.state import State

CONTENT = Quirks(reasoning_history="reasoning_content")
DETAILS = Quirks(reasoning_history="reasoning_details")
CHUNKS = Quirks(reasoning_history="thinking_chunks")
SIGNED = Quirks(thought_signatures=True)


def call(id_: str, **extra: Any) -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": "f", "arguments": "{}"}, **extra}


def said(*calls: Any, content: Any = None, **fields: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, "tool_calls": list(calls), **fields}


def kept(words: str = "t", provider: str = "up", **state: Any) -> State:
    return State([{"type": "thinking", "thinking": words, "signature": seal(provider, state)}], [])


def test_reasoning_goes_back_as_text() -> None:
    restored = with_states([said(call("a"))], {"a": kept("why")}, "up", CONTENT)
    assert restored == [said(call("a"), reasoning_content="why")]
    assert with_states([said(call("a"))], {"a": kept("why", "other")}, "up", CONTENT) == [said(call("a"))]


def test_details_go_back_in_order() -> None:
    states = {"a": kept(reasoning_details=[{"id": 1}]), "b": kept(reasoning_details=[{"id": 2}])}
    (restored,) = with_states([said(call("a"), call("b"))], states, "up", DETAILS)
    assert restored["reasoning_details"] == [{"id": 1}, {"id": 2}]


@pytest.mark.parametrize(("content", "rest"), [(None, []), ("x", [{"type": "text", "text": "x"}])])
def test_chunks_go_back_before_the_text(content: str | None, rest: list[Any]) -> None:
    chunk = {"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}
    states = {"a": kept(thinking_chunks=[chunk])}
    (restored,) = with_states([said(call("a"), content=content)], states, "up", CHUNKS)
    assert restored["content"] == [chunk, *rest]


def test_signatures_go_back_to_their_calls() -> None:
    extra = {"google": {"thought_signature": "s"}}
    states = {"a": kept(extra_content={"a": extra})}
    restored = with_states([said(call("a"), call("b"))], states, "up", SIGNED)
    assert restored == [said(call("a", extra_content=extra), call("b"))]


def test_messages_that_have_their_state_and_those_without_calls_lack_nothing() -> None:
    whole = [
        said(call("a"), reasoning_content="t"),
        {"role": "assistant", "content": "x"},
        {"role": "user", "content": "x", "tool_calls": [call("a")]},
        {"role": "assistant", "tool_calls": "x"},
        "x",
    ]
    assert calls_without_state(whole, CONTENT) == []
    assert calls_without_state([said(call("a"), reasoning_content="")], CONTENT) == ["a"]
    assert calls_without_state([said(call("a", extra_content={"google": {}}))], SIGNED) == []
    assert calls_without_state([said(call("a"), content=[])], CHUNKS) == []
    assert calls_without_state(None, CONTENT) == []


def test_ids_are_those_that_the_translation_gives() -> None:
    assert calls_without_state([said(call("f:0"), call("a"))], CONTENT) == ["ucrx_Zjow", "a"]


def test_providers_that_want_nothing_back_are_known() -> None:
    assert [wants_state(quirks) for quirks in (Quirks(), CONTENT, SIGNED)] == [False, True, True]
