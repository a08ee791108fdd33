"""An answer as a stream of events: every one valid, and all in order."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.responses_client import HI, NOW, checked, client, stream, turns
from ucr.errors import UpstreamError
from ucr.events import (
    BlockDelta,
    BlockStart,
    BlockStop,
    Delta,
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
    SignatureDelta,
    StopReason,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
    Usage,
)

START = MessageStart("msg_1", "real", Usage(10, 1))
CUSTOM = [{"type": "custom", "name": "patch"}, {"type": "namespace", "name": "ns", "tools": []}]


def block(index: int, opened: Any, *deltas: Delta) -> list[Event]:
    return [BlockStart(index, opened), *(BlockDelta(index, delta) for delta in deltas), BlockStop(index)]


def answer(*blocks: list[Event], stop: StopReason = "end_turn", **fields: Any) -> list[Event]:
    body = [event for events in blocks for event in events]
    return [START, *body, MessageDelta(stop, Usage(12, 5, 3), **fields), MessageStop()]


TEXT = answer(block(0, Text(""), TextDelta("He"), TextDelta(""), TextDelta("y")))


def kinds(events: list[Any]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def output(events: list[Event], **fields: Any) -> list[Any]:
    found: list[Any] = checked(stream(events, **fields))[-1]["response"]["output"]
    return found


def test_a_text_is_told_in_full() -> None:
    events = checked(stream(TEXT))
    assert kinds(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    response = events[-1]["response"]
    assert (response["id"], response["created_at"], response["model"]) == ("resp_1", NOW, "claude-x")
    assert response["output"][0]["content"][0]["text"] == "Hey"
    assert (response["usage"]["input_tokens"], response["usage"]["output_tokens"]) == (15, 5)


def test_texts_in_a_row_are_parts_of_one_message() -> None:
    (message,) = output(answer(block(0, Text("a")), block(1, Text(""), TextDelta("b"))))
    assert [part["text"] for part in message["content"]] == ["a", "b"]


def test_everything_keeps_its_order() -> None:
    events = answer(
        block(0, Thinking(""), ThinkingDelta("hm"), SignatureDelta("sig")),
        block(1, Text(""), TextDelta("I look.")),
        block(2, ToolUse("call_1", "look"), InputJsonDelta('{"a":'), InputJsonDelta("1}")),
        block(3, ToolUse("call_2", "look")),
        block(4, Text(""), TextDelta("Well.")),
        stop="tool_use",
    )
    items = output(events)
    assert [item["type"] for item in items] == [
        "reasoning",
        "message",
        "function_call",
        "function_call",
        "message",
    ]
    assert items[2] | {"id": ""} == {
        "id": "",
        "type": "function_call",
        "call_id": "call_1",
        "name": "look",
        "status": "completed",
        "arguments": '{"a":1}',
    }
    assert items[3]["arguments"] == "{}"
    assert len({item["id"] for item in items}) == 5


def test_what_is_sent_back_is_what_was_said() -> None:
    events = answer(
        block(0, Thinking(""), ThinkingDelta("hm"), SignatureDelta("sig")),
        block(1, RedactedThinking("data")),
        block(2, Text(""), TextDelta("I look.")),
        block(3, ToolUse("call_1", "patch"), InputJsonDelta('{"input":"x"}')),
    )
    told = {"type": "custom_tool_call_output", "call_id": "call_1", "output": "done"}
    back = turns(*HI, *output(events, tools=CUSTOM), told, tools=CUSTOM)
    assert back[1]["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "data"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "call_1", "name": "patch", "input": {"input": "x"}},
    ]


@pytest.mark.parametrize(
    ("stop", "status", "why"),
    [
        ("max_tokens", "incomplete", "max_output_tokens"),
        ("model_context_window_exceeded", "incomplete", "max_output_tokens"),
        ("stop_sequence", "completed", None),
        ("pause_turn", "completed", None),
    ],
)
def test_why_it_ended(stop: StopReason, status: str, why: str | None) -> None:
    last = checked(stream(answer(block(0, Text("x")), stop=stop)))[-1]
    assert last["type"] == f"response.{status}"
    assert (last["response"]["incomplete_details"] or {}).get("reason") == why
    assert last["response"]["output"][0]["status"] == status


@pytest.mark.parametrize("blocks", [[], [block(0, Text("Well"))]])
def test_a_refusal_is_a_part_and_an_incomplete_response(blocks: Any) -> None:
    events = answer(*blocks, stop="refusal", stop_details={"explanation": "No."})
    last = checked(stream(events))[-1]
    assert last["response"]["incomplete_details"] == {"reason": "content_filter"}
    assert last["response"]["output"][0]["content"][-1] == {"type": "refusal", "refusal": "No."}


def test_what_the_dialect_has_no_word_for_is_left_out() -> None:
    opaque = block(0, Opaque({"type": "server_tool_use"}), InputJsonDelta("{}"), OpaqueDelta({}))
    cited = block(1, Text(""), TextDelta("x"), OpaqueDelta({"type": "citations_delta"}))
    (message,) = output(answer(opaque, cited))
    assert message["content"][0]["text"] == "x"


def test_a_ping_is_a_comment_and_a_second_start_nothing() -> None:
    encoder = client().encoder(client().parse(b'{"model":"m","input":"x"}', {}))
    assert encoder.encode(START) != b""
    assert encoder.encode(START) == b""
    assert encoder.encode(Ping()) == b": ping\n\n"


def test_a_failure_ends_the_stream_in_an_error_and_a_failed_response() -> None:
    failed = Failed(UpstreamError("overloaded_error", "busy", fault="overload"))
    events = checked(stream([START, *block(0, Text("x")), failed]))
    assert kinds(events)[-2:] == ["error", "failed"]
    assert events[-1]["response"]["id"] == "resp_1"
    assert events[-1]["response"]["error"] == {"code": "server_error", "message": "busy"}


WORDS = st.text(max_size=4)
BLOCK = st.one_of(
    st.builds(lambda *texts: (Text(texts[0]), *map(TextDelta, texts[1:])), WORDS, WORDS, WORDS),
    st.builds(lambda a, b, s: (Thinking(a), ThinkingDelta(b), SignatureDelta(s)), WORDS, WORDS, WORDS),
    st.builds(lambda data: (RedactedThinking(data),), WORDS),
    st.builds(
        lambda name, piece: (ToolUse("call_1", name), InputJsonDelta(piece)),
        st.sampled_from(["look", "patch"]),
        st.sampled_from(["", "{}", '{"input":"x"}', '{"a']),
    ),
    st.just((Opaque({"type": "x"}),)),
)
STOPS: st.SearchStrategy[StopReason] = st.sampled_from(["end_turn", "tool_use", "max_tokens", "refusal"])


@pytest.mark.slow
@settings(max_examples=60)
@given(blocks=st.lists(BLOCK, max_size=4), stop=STOPS)
def test_any_answer_is_a_good_stream(blocks: list[Any], stop: StopReason) -> None:
    events = answer(*(block(index, *parts) for index, parts in enumerate(blocks)), stop=stop)
    checked(stream(events, tools=CUSTOM))


@pytest.mark.parametrize("given", [{}, {"query": "cats"}])
def test_a_search_is_an_item_that_says_what_was_searched_for(given: Any) -> None:
    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": given}
    deltas = () if given else (InputJsonDelta('{"query":'), InputJsonDelta('"cats"}'))
    found = Opaque({"type": "web_search_tool_result", "tool_use_id": "s", "content": []})
    events = answer(block(0, Text(""), TextDelta("a")), block(1, Opaque(search), *deltas), block(2, found))
    said, item = output(events)
    assert said["type"] == "message"
    assert item == {
        "type": "web_search_call",
        "id": "ws_1_1",
        "status": "completed",
        "action": {"type": "search", "query": "cats"},
    }
    told = [kind for kind in kinds(checked(stream(events))) if kind.startswith("web_search_call")]
    assert told == ["web_search_call.in_progress", "web_search_call.searching", "web_search_call.completed"]
