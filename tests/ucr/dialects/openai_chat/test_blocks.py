"""Blocks: one is open at a time, and what waits is written in order."""

from typing import Any

import pytest

from tests.world.chat_streams import END, call, calls, chunk, content, context, decoded, sse, told, use
from ucr.dialects import envelope, tool_ids
from ucr.dialects.openai_chat.stream import ChatStreamDecoder
from ucr.events import (
    BlockDelta,
    BlockStart,
    BlockStop,
    InputJsonDelta,
    MessageDelta,
    MessageStop,
    SignatureDelta,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
    Usage,
)
from ucr.stress.grammar import problems


def test_the_first_call_streams_while_the_second_waits() -> None:
    decoder = ChatStreamDecoder(context())
    decoder.feed(
        sse(calls(call(0, "call_aaaa1", "f", '{"a":'), call(1, "call_bbbb1", "g", '{"b":')), done=False)
    )
    live = decoder.feed(sse(calls(call(1, arguments="2}")), calls(call(0, arguments="1")), done=False))
    both = decoder.feed(sse(calls(call(0, arguments="}")), done=False))
    assert live == [BlockDelta(0, InputJsonDelta("1"))]
    assert both == [
        BlockDelta(0, InputJsonDelta("}")),
        BlockStop(0),
        BlockStart(1, ToolUse("call_bbbb1", "g")),
        BlockDelta(1, InputJsonDelta('{"b":2}')),
    ]


def test_thinking_is_signed_once_just_before_its_end() -> None:
    events = decoded(sse(chunk(reasoning_content="hm"), chunk(content="Yes"), chunk("stop")), context("deep"))
    assert events[1:-2] == [
        BlockStart(0, Thinking("")),
        BlockDelta(0, ThinkingDelta("hm")),
        BlockDelta(0, SignatureDelta(envelope.seal("deep", {"kind": "reasoning_content"}))),
        BlockStop(0),
        BlockStart(1, Text("")),
        BlockDelta(1, TextDelta("Yes")),
        BlockStop(1),
    ]


@pytest.mark.parametrize("finish", [pytest.param("length", id="edge-24")])
def test_a_call_that_the_limit_cut_off_keeps_its_half_input(finish: str) -> None:
    live = decoded(sse(calls(call(0, "call_aaaa1", "f", '{"a": "b')), chunk(finish)), context())
    waiting = decoded(
        sse(
            calls(
                call(
                    0,
                    "call_aaaa1",
                    "f",
                    '{"a": "b',
                ),
                call(1, "call_b", "g", '{"c'),
            ),
            chunk(finish),
        ),
        context(),
    )
    deltas = [event.delta for event in waiting if isinstance(event, BlockDelta)]
    assert BlockDelta(0, InputJsonDelta('{"a": "b')) in live
    assert deltas == [InputJsonDelta('{"a": "b'), InputJsonDelta('{"c')]
    assert problems(waiting) == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param('{"a": [1, {"b": "c"}', {"a": [1, {"b": "c"}]}, id="edge-25-brackets-are-missing"),
        pytest.param("[1, 2]", {"_raw": "[1, 2]"}, id="edge-25-an-array"),
        pytest.param("Paris", {"_raw": "Paris"}, id="edge-25-words"),
        pytest.param('"{\\"a\\": 1}"', {"a": 1}, id="edge-25-coded-twice"),
        pytest.param('{"a": 1}{"a": 1}', {"a": 1}, id="edge-25-an-object-too-many"),
    ],
)
def test_input_that_is_no_object_is_repaired_or_wrapped(arguments: str, expected: dict[str, Any]) -> None:
    assert content(calls(call(0, "call_aaaa1", "f", arguments)), END) == [use("f", **expected)]


@pytest.mark.parametrize(
    "arguments", [pytest.param('{"a": "b', id="edge-25-half-a-string"), '{"a": ', '{"a" 1}']
)
def test_input_beyond_repair_reaches_the_client_as_it_is(arguments: str) -> None:
    events = decoded(sse(calls(call(0, "call_aaaa1", "f", arguments)), END), context())
    assert BlockDelta(0, InputJsonDelta(arguments)) in events
    assert events[-2:] == [
        MessageDelta("tool_use", Usage(output_tokens=-(-(1 + len(arguments)) // 4)), is_estimated=True),
        MessageStop(),
    ]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param("0", None, id="edge-17-zero"),
        pytest.param("call_0", None, id="edge-17-counter"),
        pytest.param("", None, id="edge-18-empty"),
        pytest.param(None, None, id="edge-18-missing"),
        pytest.param("functions.Bash:0", "ucrx_ZnVuY3Rpb25zLkJhc2g6MA", id="edge-19"),
        pytest.param("call_Xc4Aiih37", "call_Xc4Aiih37", id="good"),
        pytest.param("gSIMJiOkT", "gSIMJiOkT", id="mistral"),
    ],
)
def test_ids_are_kept_wrapped_or_minted(given: str | None, kept: str | None) -> None:
    first = told({**calls(call(0, given, "f", "{}")), "id": "turn1"}, END)["content"][0]["id"]
    second = told({**calls(call(0, given, "f", "{}")), "id": "turn2"}, END)["content"][0]["id"]
    if kept is None:
        assert first != second
        assert (len(first), first[:6], second[:6]) == (30, "toolu_", "toolu_")
    else:
        assert first == second == kept
        assert tool_ids.to_upstream(kept) == given


@pytest.mark.parametrize("same", [pytest.param("call_same", id="edge-17")])
def test_two_calls_never_share_an_id(same: str) -> None:
    blocks = told(calls(call(0, same, "f", "{}"), call(1, same, "f", "{}")), END)["content"]
    assert blocks[0]["id"] == same
    assert blocks[1]["id"].startswith("toolu_")
