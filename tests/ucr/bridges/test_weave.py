"""Several answers as one message: indexes, calls that are hidden, the end that is held back, the sums."""

import json
from collections.abc import Sequence

import pytest

from ucr import answer
from ucr.bridges import weave as weaving
from ucr.bridges.weave import Strand, Weave, given, summed, turn_of
from ucr.dialects.anthropic.encode import MessageEncoder
from ucr.errors import UpstreamError
from ucr.events import (
    Block,
    BlockDelta,
    BlockStart,
    BlockStop,
    Event,
    Ping,
    Reply,
    StopReason,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
    Usage,
)

SEARCH = ToolUse("call_0", "web_search", '{"query":"cats"}')
READ = ToolUse("call_1", "read", "{}")


def weave() -> Weave:
    return Weave(MessageEncoder("asked"), {"web_search": "web_search"})


def reply(*content: Block, stop: StopReason = "tool_use", id_: str = "msg_1") -> Reply:
    return Reply(id_, "m", content, stop, Usage(input_tokens=10, output_tokens=5))


def streamed(into: Weave, made: Reply) -> tuple[Strand, list[dict[str, object]]]:
    """Play an answer into a weave; return what the client got."""
    strand = Strand(into)
    data = b"".join(strand.encode(event) for event in answer.play(made))
    return strand, events(data)


def events(data: bytes) -> list[dict[str, object]]:
    return [json.loads(line[6:]) for line in data.decode().splitlines() if line.startswith("data: ")]


def types(seen: Sequence[dict[str, object]]) -> list[object]:
    return [(event["type"], event["index"]) if "index" in event else event["type"] for event in seen]


def test_an_answer_without_calls_passes_whole() -> None:
    strand, seen = streamed(weave(), reply(Text("a"), READ))
    assert not strand.goes_on
    assert types(seen)[0] == "message_start"
    assert types(seen)[-2:] == ["message_delta", "message_stop"]
    assert [event["index"] for event in seen if event["type"] == "content_block_stop"] == [0, 1]


def test_a_call_is_hidden_and_the_end_held_back() -> None:
    message = weave()
    strand, seen = streamed(message, reply(Text("a"), SEARCH))
    assert strand.goes_on
    assert types(seen) == [
        "message_start",
        ("content_block_start", 0),
        ("content_block_delta", 0),
        ("content_block_stop", 0),
    ]
    taken = message.take(strand)
    assert taken.content == (Text("a"), SEARCH)
    assert message.content == [Text("a")]


def test_what_follows_goes_on_with_the_same_message() -> None:
    message = weave()
    message.take(streamed(message, reply(SEARCH))[0])
    call = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "cats"}}
    shown = events(message.add(call) + message.add({"type": "web_search_tool_result", "content": []}))
    message.count("web_search")
    strand, seen = streamed(message, reply(Text("b"), stop="end_turn", id_="msg_2"))
    assert types([*shown, *seen]) == [
        ("content_block_start", 0),
        ("content_block_delta", 0),
        ("content_block_stop", 0),
        ("content_block_start", 1),
        ("content_block_stop", 1),
        ("content_block_start", 2),
        ("content_block_delta", 2),
        ("content_block_stop", 2),
        "message_delta",
        "message_stop",
    ]
    assert shown[0]["content_block"] == {**call, "input": {}}
    assert seen[-2]["usage"] == {
        "input_tokens": 20,
        "output_tokens": 10,
        "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
    }
    last = message.take(strand)
    whole = message.whole(last, last.stop_reason)
    assert (whole.id, len(whole.content), whole.stop_reason) == ("msg_1", 3, "end_turn")
    assert whole.usage == Usage(20, 10, web_searches=1, web_fetches=0)


def test_an_end_of_the_routers_own_can_be_written() -> None:
    message = weave()
    taken = message.take(streamed(message, reply(SEARCH, READ))[0])
    seen = events(message.end(taken, "tool_use"))
    assert types(seen) == ["message_delta", "message_stop"]
    assert seen[0]["delta"] == {"stop_reason": "tool_use", "stop_sequence": None}


def test_a_call_that_was_cut_off_is_not_run() -> None:
    strand, seen = streamed(weave(), reply(Text("a"), SEARCH, stop="max_tokens"))
    assert not strand.goes_on
    assert types(seen)[-1] == "message_stop"


def test_an_answer_that_failed_leaves_nothing() -> None:
    message = weave()
    strand = Strand(message)
    strand.encode(BlockStart(0, Text("")))
    strand.encode(BlockStop(0))
    assert message.next_index == 0
    assert types(streamed(message, reply(Text("a")))[1])[1] == ("content_block_start", 0)


def test_a_whole_answer_is_taken_as_it_is() -> None:
    message = weave()
    strand = Strand(message)
    strand.take(reply(Thinking("t"), SEARCH))
    assert strand.goes_on
    message.take(strand)
    assert (message.content, message.next_index) == ([Thinking("t")], 1)


def test_pings_pass() -> None:
    assert b"ping" in Strand(weave()).encode(Ping())


def test_what_is_kept_of_an_answer_is_bounded() -> None:
    message = weave()
    strand = Strand(message)
    piece: list[Event] = [BlockDelta(0, TextDelta("x" * (weaving.LIMIT_CHARS // 2)))]
    for event in (BlockStart(0, Text("")), *piece * 3):
        assert strand.encode(event)
    assert "Strand" in repr(strand)
    with pytest.raises(UpstreamError, match="longer than the router keeps"):
        message.take(strand)


def test_the_pieces_of_a_delta_take_room_themselves() -> None:
    message = weave()
    strand = Strand(message)
    pieces = ("x",) * (weaving.LIMIT_CHARS // 100)
    for delta in (TextDelta("x", pieces[::2]), ThinkingDelta("x", pieces[::2])):
        strand.encode(BlockDelta(0, delta))
    with pytest.raises(UpstreamError, match="longer than the router keeps"):
        message.take(strand)


def test_what_is_kept_of_all_answers_is_bounded() -> None:
    message = weave()
    long = reply(Text("x" * (weaving.LIMIT_CHARS // 2)), SEARCH)
    first, second, last = Strand(message), Strand(message), Strand(message)
    first.take(long)
    message.take(first)
    second.take(long)
    with pytest.raises(UpstreamError, match="longer than the router keeps"):
        message.take(second)
    last.take(reply(Text("b"), stop="end_turn"))
    assert message.take(last).content == (Text("b"),)


def test_counters_are_added_and_what_nobody_knows_stays_so() -> None:
    assert summed(Usage(1, None, 3), Usage(None, None, 4)) == Usage(1, None, 7)
    assert summed(Usage(), Usage()) == Usage()


def test_an_answer_becomes_a_turn() -> None:
    assert turn_of(reply(Text("a"), SEARCH)) == {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "a"},
            {"type": "tool_use", "id": "call_0", "name": "web_search", "input": {"query": "cats"}},
        ],
    }


@pytest.mark.parametrize(("text", "expected"), [('{"a":1}', {"a": 1}), ("[]", {}), ("{", {}), ("", {})])
def test_arguments_are_an_object(text: str, expected: object) -> None:
    assert given(ToolUse("c", "n", text)) == expected
