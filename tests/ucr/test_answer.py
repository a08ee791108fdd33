"""An answer as events and as a whole."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.answer import collect, play
from ucr.errors import ApiError, UpstreamError
from ucr.events import (
    Block,
    BlockDelta,
    BlockStart,
    BlockStop,
    Event,
    Failed,
    InputJsonDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    Opaque,
    OpaqueDelta,
    Ping,
    RedactedThinking,
    Reply,
    SignatureDelta,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
    Usage,
)
from ucr.stress.grammar import problems

START = MessageStart("msg_1", "m", Usage(input_tokens=3))
END: list[Event] = [MessageDelta("end_turn", Usage(output_tokens=2)), MessageStop()]

TEXT = Text("hi", ({"cited_text": "h"}, {"cited_text": "i"}))
SEARCH = Opaque({"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}})
BLOCKS: list[Block] = [
    Text(""),
    TEXT,
    Thinking("hm", "sig"),
    Thinking("", "sig"),
    RedactedThinking("data"),
    ToolUse("t1", "f", '{"a": 12345678901234567890123}'),
    ToolUse("t2", "f"),
    SEARCH,
    Opaque({"type": "web_search_tool_result", "content": [{"url": "u"}]}),
]


@given(
    content=st.lists(st.sampled_from(BLOCKS), max_size=5), usage=st.builds(Usage, st.none() | st.integers(0, 9))
)
def test_what_is_played_is_collected_again(content: list[Block], usage: Usage) -> None:
    reply = Reply("msg_1", "m", tuple(content), "stop_sequence", usage, "END", {"type": "x"})
    assert collect(play(reply)) == reply


def test_a_played_reply_is_a_good_stream() -> None:
    reply = Reply(
        "msg_1", "m", (Thinking("hm", "s"), Text("hi"), ToolUse("t1", "f", '{"a":1}')), "tool_use", Usage(3, 2)
    )
    assert problems(play(reply)) == []
    assert play(reply)[0] == START
    assert play(reply)[-2:] == [MessageDelta("tool_use", Usage(3, 2)), MessageStop()]


def test_blocks_open_empty_and_are_filled_by_deltas() -> None:
    events = play(Reply("msg_1", "m", (TEXT, SEARCH), "end_turn", Usage()))
    assert events[1:-2] == [
        BlockStart(0, Text("")),
        BlockDelta(0, TextDelta("hi")),
        BlockDelta(0, OpaqueDelta({"type": "citations_delta", "citation": {"cited_text": "h"}})),
        BlockDelta(0, OpaqueDelta({"type": "citations_delta", "citation": {"cited_text": "i"}})),
        BlockStop(0),
        BlockStart(1, Opaque({**SEARCH.raw, "input": {}})),
        BlockDelta(1, InputJsonDelta('{"query":"x"}')),
        BlockStop(1),
    ]


@pytest.mark.parametrize(
    ("opened", "deltas", "block"),
    [
        (Text("a"), [TextDelta("b"), TextDelta("c")], Text("abc")),
        (
            Thinking("a", "old"),
            [ThinkingDelta("b"), SignatureDelta("s"), SignatureDelta("t")],
            Thinking("ab", "t"),
        ),
        pytest.param(ToolUse("t", "f"), [], ToolUse("t", "f", "{}"), id="edge-12"),
        (ToolUse("t", "f", '{"a":1}'), [], ToolUse("t", "f", '{"a":1}')),
        (ToolUse("t", "f"), [InputJsonDelta('{"a"'), InputJsonDelta(":1.0}")], ToolUse("t", "f", '{"a":1.0}')),
        pytest.param(
            ToolUse("t", "f"), [InputJsonDelta('{"a"')], ToolUse("t", "f", '{"_raw":"{\\"a\\""}'), id="edge-24"
        ),
        (
            Opaque({"type": "compaction", "content": "a"}),
            [OpaqueDelta({"type": "compaction_delta", "content": "b", "n": 1})],
            Opaque({"type": "compaction", "content": "ab", "n": 1}),
        ),
        (
            Opaque({"type": "x", "input": {}}),
            [InputJsonDelta("{")],
            Opaque({"type": "x", "input": {"_raw": "{"}}),
        ),
    ],
)
def test_deltas_fill_a_block(opened: Block, deltas: list[Any], block: Block) -> None:
    filled = [BlockStart(0, opened), *(BlockDelta(0, delta) for delta in deltas), BlockStop(0)]
    assert collect([START, Ping(), *filled, *END]).content == (block,)


def test_the_end_knows_better_than_the_start() -> None:
    reply = collect([START, MessageDelta("end_turn", Usage(input_tokens=9, output_tokens=2)), MessageStop()])
    assert reply == Reply("msg_1", "m", (), "end_turn", Usage(9, 2))


def test_a_failure_of_the_provider_is_raised_as_it_is() -> None:
    error = UpstreamError("overloaded_error", "busy", fault="overload")
    with pytest.raises(UpstreamError) as caught:
        collect([START, Failed(error)])
    assert caught.value is error


def test_another_failure_is_raised_as_the_providers() -> None:
    with pytest.raises(UpstreamError) as caught:
        collect([Failed(ApiError("timeout_error", "slow", status=504))])
    assert (caught.value.type, caught.value.status, caught.value.fault) == ("timeout_error", 504, "midstream")


@pytest.mark.parametrize(
    "events",
    [[], [START], [START, END[0]], [START, MessageStop()], END, [START, BlockStart(0, Text("")), END[1]]],
)
def test_an_answer_without_its_end_is_an_error(events: list[Event]) -> None:
    with pytest.raises(UpstreamError, match="the answer ended before it was complete"):
        collect(events)
