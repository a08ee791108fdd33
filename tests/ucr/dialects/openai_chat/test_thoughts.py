"""The state of reasoning, as it goes back to its provider."""

from typing import Any

import pytest

from ucr.dialects.openai_chat.thoughts import Thoughts, thinking_text


def detail(text: str, index: int = 0, **fields: Any) -> dict[str, Any]:
    return {"type": "reasoning.text", "text": text, "index": index, **fields}


DETAILS: list[Any] = [
    pytest.param([detail("a"), detail("b")], [detail("ab")], id="pieces"),
    pytest.param(
        [detail("", signature=""), detail("a"), detail("", signature="s")],
        [detail("a", signature="s")],
        id="signature-last",
    ),
    pytest.param(
        [detail("a", signature="s"), detail("b")], [detail("a", signature="s"), detail("b")], id="signed"
    ),
    pytest.param([detail("a"), detail("b", 1)], [detail("a"), detail("b", 1)], id="another-index"),
    pytest.param(
        [detail("a", id="x"), detail("b", id="y")], [detail("a", id="x"), detail("b", id="y")], id="ids"
    ),
    pytest.param([detail("a", id=None), detail("b", id="y")], [detail("ab", id="y")], id="late-id"),
    pytest.param(
        [detail("a", format="f"), detail("b", format=None)],
        [detail("ab", format="f")],
        id="null-changes-nothing",
    ),
    pytest.param(
        [{"type": "reasoning.encrypted", "data": "x"}, {"type": "reasoning.encrypted", "data": "y"}],
        [{"type": "reasoning.encrypted", "data": "x"}, {"type": "reasoning.encrypted", "data": "y"}],
        id="encrypted",
    ),
    pytest.param(
        [{"type": "reasoning.summary", "summary": "a"}, {"type": "reasoning.summary", "summary": "b"}],
        [{"type": "reasoning.summary", "summary": "ab"}],
        id="summary",
    ),
]


@pytest.mark.parametrize(("pieces", "whole"), DETAILS)
def test_pieces_of_a_detail_are_joined(pieces: list[dict[str, Any]], whole: list[dict[str, Any]]) -> None:
    thoughts = Thoughts(in_pieces=True)
    for piece in pieces:
        thoughts.add([piece], None)
    assert thoughts.state() == {"reasoning_details": whole}


def test_whole_details_are_left_alone() -> None:
    thoughts = Thoughts(in_pieces=False)
    thoughts.add([detail("a")], None)
    thoughts.add([detail("b")], None)
    assert thoughts.state() == {"reasoning_details": [detail("a"), detail("b")]}


@pytest.mark.parametrize("kind", [pytest.param("thinking", id="edge-59")])
def test_pieces_of_a_chunk_are_joined(kind: str) -> None:
    thoughts = Thoughts(in_pieces=True)
    thoughts.add([], {"type": kind, "thinking": [{"type": "text", "text": "a"}]})
    thoughts.add([], {"type": kind, "thinking": [{"text": "b"}, {"type": "ref"}], "closed": True})
    thoughts.add([], {"type": kind, "thinking": "c"})
    assert thoughts.state() == {
        "thinking_chunks": [
            {"type": kind, "thinking": [{"type": "text", "text": "ab"}], "closed": True},
            {"type": kind, "thinking": "c"},
        ]
    }


def test_plain_text_needs_no_state() -> None:
    thoughts = Thoughts(in_pieces=True)
    assert (thoughts.is_needed, thoughts.state()) == (False, {"kind": "reasoning_content"})


def test_extra_content_stands_under_the_id_that_the_call_has_in_the_end() -> None:
    thoughts = Thoughts(in_pieces=True)
    ids = ["early"]
    thoughts.add_extra(lambda: ids[-1], {"google": 1})
    ids.append("late")
    assert (thoughts.is_needed, thoughts.state()) == (True, {"extra_content": {"late": {"google": 1}}})


@pytest.mark.parametrize(
    ("found", "is_needed"),
    [
        (detail(""), False),
        (detail("", signature="s"), True),
        ({"type": "reasoning.encrypted", "data": "x"}, True),
    ],
)
def test_a_detail_that_says_nothing_needs_no_block(found: dict[str, Any], is_needed: bool) -> None:
    thoughts = Thoughts(in_pieces=True)
    thoughts.add([found], None)
    assert thoughts.is_needed is is_needed


@pytest.mark.parametrize(
    ("chunk", "text"),
    [({"thinking": "a"}, "a"), ({"thinking": [{"text": "a"}, 3, {"text": 4}, {"text": "b"}]}, "ab"), ({}, "")],
)
def test_the_text_of_a_chunk_is_read_in_both_shapes(chunk: dict[str, Any], text: str) -> None:
    assert thinking_text(chunk) == text
