import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState

from tests.world.chat_client import NOW, ask, chunks, client, strict, translate, written
from ucr import sse
from ucr.dialects.openai_chat import client_layout
from ucr.errors import ApiError, UpstreamError
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


def block(index: int, opened: Any, *deltas: Delta) -> list[Event]:
    return [BlockStart(index, opened), *(BlockDelta(index, delta) for delta in deltas), BlockStop(index)]


def answer(*blocks: list[Event], stop: StopReason = "end_turn", **fields: Any) -> list[Event]:
    body = [event for events in blocks for event in events]
    return [START, *body, MessageDelta(stop, Usage(12, 5, 3), **fields), MessageStop()]


def stream(events: list[Event], **fields: Any) -> bytes:
    return written(client().encoder(ask(**fields)), events)


def deltas(events: list[Event]) -> list[Any]:
    """Return the deltas between the role chunk and the finish chunk; check every chunk with the SDK's type."""
    found = chunks(stream(events))
    for chunk in found:
        strict(chunk)
    assert found[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert found[-1]["choices"][0]["delta"] == {}
    return [chunk["choices"][0]["delta"] for chunk in found[1:-1]]


def accumulated(data: bytes) -> Any:
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState()
    for chunk in chunks(data):
        state.handle_chunk(strict(chunk))
    return state.current_completion_snapshot


HEAD = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795000000,"model":"claude-x",'
    b'"choices":['
)
TEXT = answer(block(0, Text(""), TextDelta("He"), TextDelta(""), TextDelta("y")))


def test_a_stream_is_written_to_the_byte() -> None:
    assert NOW == 1_795_000_000
    assert stream(TEXT) == b"".join(
        [
            HEAD,
            b'{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}\n\n',
            HEAD,
            b'{"index":0,"delta":{"content":"He"},"logprobs":null,"finish_reason":null}]}\n\n',
            HEAD,
            b'{"index":0,"delta":{"content":"y"},"logprobs":null,"finish_reason":null}]}\n\n',
            HEAD,
            b'{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}\n\n',
            b"data: [DONE]\n\n",
        ]
    )


def test_the_usage_comes_last_when_it_was_asked_for_and_is_null_before() -> None:
    data = stream(TEXT, stream_options={"include_usage": True})
    *before, last = chunks(data)
    assert all(chunk["usage"] is None for chunk in before)
    assert last["choices"] == []
    assert last["usage"] == {
        "prompt_tokens": 15,
        "completion_tokens": 5,
        "total_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 3},
    }
    strict(last)
    assert data.endswith(b"\n\ndata: [DONE]\n\n")


@pytest.mark.parametrize("fields", [{}, {"stream_options": {"include_usage": False}}, {"stream_options": None}])
def test_nobody_gets_a_usage_chunk_unasked(fields: Any) -> None:
    assert not any("usage" in chunk for chunk in chunks(stream(TEXT, **fields)))


def test_counters_of_the_start_stand_until_the_end_says_better() -> None:
    events: list[Event] = [
        MessageStart("m", "r", Usage(10, 1, 7)),
        MessageDelta("end_turn", Usage(output_tokens=4)),
        MessageStop(),
    ]
    last = chunks(stream(events, stream_options={"include_usage": True}))[-1]
    assert last["usage"]["prompt_tokens"] == 17
    assert last["usage"]["completion_tokens"] == 4


TOOLS = answer(
    block(0, Thinking(""), ThinkingDelta("hm"), SignatureDelta("sig")),
    block(1, Text(""), TextDelta("I look.")),
    block(2, ToolUse("t1", "f"), InputJsonDelta(""), InputJsonDelta('{"x":'), InputJsonDelta("0}")),
    block(3, ToolUse("t2", "g")),
    stop="tool_use",
)


@pytest.mark.parametrize("events", [pytest.param(TOOLS, id="edge-190")])
def test_the_index_of_a_call_counts_calls_alone(events: list[Event]) -> None:
    calls = [delta["tool_calls"][0] for delta in deltas(events) if "tool_calls" in delta]
    assert calls == [
        {"index": 0, "id": "t1", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"x":'}},
        {"index": 0, "function": {"arguments": "0}"}},
        {"index": 1, "id": "t2", "type": "function", "function": {"name": "g", "arguments": ""}},
        {"index": 1, "function": {"arguments": "{}"}},
    ]
    assert chunks(stream(events))[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_call_that_opens_with_its_input_says_it_once() -> None:
    events = answer(block(0, ToolUse("t", "f", '{"a":1}')), stop="tool_use")
    assert deltas(events)[1:] == [{"tool_calls": [{"index": 0, "function": {"arguments": '{"a":1}'}}]}]


def test_text_and_thinking_may_stand_in_the_opening_of_a_block() -> None:
    events = answer(block(0, Thinking("a"), ThinkingDelta("b")), block(1, Text("c"), TextDelta("d")))
    assert deltas(events) == [
        {"reasoning_content": "a"},
        {"reasoning_content": "b"},
        {"content": "c"},
        {"content": "d"},
    ]


def test_opaque_blocks_and_what_belongs_to_them_are_left_out() -> None:
    events = answer(
        block(0, Opaque({"type": "server_tool_use"}), InputJsonDelta('{"q":1}'), OpaqueDelta({"type": "x"})),
        block(1, Text(""), OpaqueDelta({"type": "citations_delta"}), TextDelta("a")),
        stop="tool_use",
    )
    assert deltas(events) == [{"content": "a"}]
    assert chunks(stream(events))[-1]["choices"][0]["finish_reason"] == "stop"


def test_signed_thinking_comes_back_whole_through_the_client() -> None:
    events = answer(
        block(0, Thinking(""), ThinkingDelta("hm"), SignatureDelta("s1")),
        block(1, RedactedThinking("blob")),
        block(2, Text(""), TextDelta("I "), TextDelta("look.")),
        block(3, ToolUse("t1", "f"), InputJsonDelta("{}")),
        block(4, Thinking("", "s0"), ThinkingDelta("mm"), SignatureDelta("s2")),
        block(5, ToolUse("t2", "f"), InputJsonDelta("{}")),
        stop="tool_use",
    )
    message = accumulated(stream(events)).choices[0].message.model_dump(exclude_none=True)
    calls = [{key: call[key] for key in ("id", "type", "function")} for call in message["tool_calls"]]
    echoed = {key: message[key] for key in ("role", "content", "reasoning_content", "reasoning_signature")}
    history = translate({"role": "user", "content": "q"}, {**echoed, "tool_calls": calls}).body["messages"][1]
    assert history["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "s1"},
        {"type": "redacted_thinking", "data": "blob"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
        {"type": "thinking", "thinking": "mm", "signature": "s2"},
        {"type": "tool_use", "id": "t2", "name": "f", "input": {}},
    ]


def test_the_signature_field_is_the_layout_of_the_message() -> None:
    packed = client_layout.pack([("thinking", 2, "sig"), ("text", 7), ("call",), ("call",)])
    assert deltas(TOOLS)[-1] == {"reasoning_signature": packed}


@pytest.mark.parametrize(
    ("events", "content"),
    [
        pytest.param(answer(stop="refusal"), None, id="edge-70-nothing"),
        pytest.param(answer(block(0, Text("")), stop="refusal"), None, id="edge-70-empty-block"),
        pytest.param(answer(block(0, Text(""), TextDelta("We")), stop="refusal"), "We", id="edge-70-midway"),
    ],
)
def test_a_refusal_is_said_before_the_finish(events: list[Event], content: str | None) -> None:
    data = stream(events)
    assert deltas(events)[-1] == {"refusal": "The model declined to answer."}
    choice = accumulated(data).choices[0]
    assert choice.finish_reason == "content_filter"
    assert choice.message.refusal == "The model declined to answer."
    assert (choice.message.content or None) == content


def test_the_providers_words_for_a_refusal_are_passed_on() -> None:
    events = answer(stop="refusal", stop_details={"type": "refusal", "explanation": "Policy."})
    assert deltas(events) == [{"refusal": "Policy."}]


@pytest.mark.parametrize("stop", [pytest.param("pause_turn", id="edge-68")])
def test_a_paused_turn_is_an_ordinary_stop(stop: StopReason) -> None:
    assert chunks(stream(answer(stop=stop)))[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    "before", [pytest.param([], id="edge-189-at-once"), pytest.param(TEXT[:3], id="edge-189-midway")]
)
def test_a_failure_is_an_error_event_and_nothing_after_it(before: list[Event]) -> None:
    error = UpstreamError("overloaded_error", "Overloaded", fault="overload")
    data = stream([*before, Failed(error)])
    *_, last = data.removesuffix(b"\n\n").split(b"\n\n")
    assert last == (
        b'data: {"error":{"message":"Overloaded","type":"server_error","param":null,'
        b'"code":"server_is_overloaded"}}'
    )
    assert b"[DONE]" not in data


def test_a_ping_is_a_comment() -> None:
    assert client().encoder(ask()).encode(Ping()) == b": ping\n\n"


def test_a_second_start_is_ignored() -> None:
    encoder = client().encoder(ask())
    assert encoder.encode(START) != b""
    assert encoder.encode(MessageStart("msg_2", "other")) == b""


def test_a_model_name_and_an_id_cannot_break_out_of_their_strings() -> None:
    encoder = client().encoder(
        client().parse(json.dumps({"model": 'a"%d\n', "messages": [{"role": "user"}]}).encode(), {})
    )
    (chunk,) = chunks(encoder.encode(MessageStart('x"y', "real")))
    assert (chunk["id"], chunk["model"]) == ('chatcmpl-x"y', 'a"%d\n')


def test_the_sdk_puts_a_stream_together() -> None:
    final = accumulated(stream(TOOLS, stream_options={"include_usage": True}))
    (choice,) = final.choices
    assert (final.id, final.model, final.created) == ("chatcmpl-1", "claude-x", NOW)
    assert choice.message.content == "I look."
    assert [(c.id, c.function.name, c.function.arguments) for c in choice.message.tool_calls] == [
        ("t1", "f", '{"x":0}'),
        ("t2", "g", "{}"),
    ]
    assert final.usage.total_tokens == 20
    assert choice.message.reasoning_content == "hm"


PIECES = st.lists(st.text(max_size=6), max_size=4)
BLOCKS: st.SearchStrategy[Any] = st.one_of(
    st.builds(lambda parts: (Text(""), [TextDelta(p) for p in parts]), PIECES),
    st.builds(lambda parts: (Thinking(""), [*map(ThinkingDelta, parts), SignatureDelta("s")]), PIECES),
    st.builds(lambda parts: (ToolUse("t", "f"), [InputJsonDelta(p) for p in parts]), PIECES),
    st.just((RedactedThinking("r"), [])),
    st.just((Opaque({"type": "x"}), [OpaqueDelta({"type": "y"})])),
)


@settings(max_examples=60)
@given(st.lists(BLOCKS, max_size=5), st.booleans())
def test_any_answer_is_a_valid_stream_that_says_what_it_said(blocks: list[Any], with_usage: bool) -> None:
    events = answer(*(block(index, opened, *parts) for index, (opened, parts) in enumerate(blocks)))
    data = stream(events, stream_options={"include_usage": with_usage})
    found = chunks(data)
    assert sse.Decoder().feed(data)[-1].data == "[DONE]"
    for chunk in found:
        strict(chunk)
    said = "".join(d.text for _, parts in blocks for d in parts if isinstance(d, TextDelta))
    choices = [chunk["choices"][0] for chunk in found if chunk["choices"]]
    assert "".join(choice["delta"].get("content") or "" for choice in choices) == said
    assert [choice["finish_reason"] for choice in choices if choice["finish_reason"]] == ["stop"]


def test_an_api_error_of_our_own_ends_a_stream_too() -> None:
    data = stream([START, Failed(ApiError("timeout_error", "no answer for 240 s"))])
    assert chunks(data)[-1]["error"]["code"] == "timeout"
