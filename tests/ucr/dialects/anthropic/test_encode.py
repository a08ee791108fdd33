import json

import pytest
from anthropic.types import Message

from tests.world.anthropic_streams import problems
from ucr.dialects.anthropic import encode
from ucr.errors import ApiError
from ucr.events import (
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


def encoded(*events: Event) -> list[bytes]:
    encoder = encode.MessageEncoder("asked")
    return [encoder.encode(event) for event in events]


@pytest.mark.parametrize(
    ("event", "written"),
    [
        pytest.param(
            MessageStart("msg_1", "upstream", Usage(input_tokens=9)),
            b"event: message_start\n"
            b'data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",'
            b'"model":"asked","content":[],"stop_reason":null,"stop_sequence":null,'
            b'"usage":{"input_tokens":9,"output_tokens":0}}}\n\n',
            id="edge-9",
        ),
        pytest.param(
            BlockStart(0, ToolUse("i", "n", '{"ignored":1}')),
            b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
            b'"content_block":{"type":"tool_use","id":"i","name":"n","input":{}}}\n\n',
            id="a-tool-opens-empty",
        ),
        pytest.param(
            BlockStart(1, Thinking("")),
            b'event: content_block_start\ndata: {"type":"content_block_start","index":1,'
            b'"content_block":{"type":"thinking","thinking":"","signature":""}}\n\n',
            id="thinking-opens-empty",
        ),
        pytest.param(
            BlockDelta(1, TextDelta("a\u2028\u0085é")),
            'event: content_block_delta\ndata: {"type":"content_block_delta","index":1,'
            '"delta":{"type":"text_delta","text":"a\u2028\u0085é"}}\n\n'.encode(),
            id="text-with-line-separators",
        ),
        pytest.param(
            MessageDelta("end_turn", Usage(1, 2, 3, 4, 5)),
            b'event: message_delta\ndata: {"type":"message_delta",'
            b'"delta":{"stop_reason":"end_turn","stop_sequence":null},'
            b'"usage":{"input_tokens":1,"cache_creation_input_tokens":4,"cache_read_input_tokens":3,'
            b'"output_tokens":2,"output_tokens_details":{"thinking_tokens":5}}}\n\n',
            id="the-end-knows-every-counter",
        ),
        pytest.param(
            MessageDelta("refusal", Usage(), None, {"type": "refusal"}),
            b'event: message_delta\ndata: {"type":"message_delta",'
            b'"delta":{"stop_reason":"refusal","stop_sequence":null,"stop_details":{"type":"refusal"}},'
            b'"usage":{"output_tokens":0}}\n\n',
            id="edge-70-stop-details",
        ),
        pytest.param(MessageStop(), b'event: message_stop\ndata: {"type":"message_stop"}\n\n', id="stop"),
        pytest.param(Ping(), b'event: ping\ndata: {"type": "ping"}\n\n', id="ping"),
        pytest.param(
            Failed(ApiError("overloaded_error", "busy")),
            b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n',
            id="edge-62",
        ),
    ],
)
def test_an_event_is_written_with_its_name_and_type(event: Event, written: bytes) -> None:
    assert encoded(event) == [written]


def test_a_second_start_is_left_out() -> None:
    first, second = encoded(MessageStart("early", "m"), MessageStart("late", "m"))
    assert b"early" in first
    assert second == b""


def test_a_stream_of_every_kind_keeps_the_grammar() -> None:
    citation = {"type": "char_location", "cited_text": "c", "document_index": 0, "document_title": None}
    citation |= {"start_char_index": 0, "end_char_index": 1}
    written = encoded(
        MessageStart("msg_1", "m"),
        Ping(),
        BlockStart(0, Thinking("")),
        BlockDelta(0, ThinkingDelta("hm")),
        BlockDelta(0, SignatureDelta("sig")),
        BlockStop(0),
        BlockStart(1, RedactedThinking("data")),
        BlockStop(1),
        BlockStart(2, Text("")),
        BlockDelta(2, TextDelta("hi")),
        BlockDelta(2, OpaqueDelta({"type": "citations_delta", "citation": citation})),
        BlockStop(2),
        BlockStart(3, Opaque({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}})),
        BlockStop(3),
        BlockStart(4, ToolUse("t", "n")),
        BlockDelta(4, InputJsonDelta('{"a":')),
        BlockDelta(4, InputJsonDelta("1}")),
        BlockStop(4),
        MessageDelta("tool_use", Usage(1, 2)),
        MessageStop(),
    )
    assert problems(b"".join(written), beta=False) == []


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(
            Reply("msg_1", "m", (), "refusal", Usage(20, 0), None, {"type": "refusal"}), id="edge-70-empty"
        ),
        pytest.param(
            Reply(
                "msg_1",
                "m",
                (Thinking("t", "s"), RedactedThinking("d"), Text("x"), ToolUse("i", "n", '{"a":1}')),
                "tool_use",
                Usage(1, 2, 3, 4, 5),
            ),
            id="every-block",
        ),
        pytest.param(Reply("msg_1", "m", (Text("x"),), "stop_sequence", Usage(), "END"), id="nothing-known"),
    ],
)
def test_a_whole_message_is_one_for_the_sdk(reply: Reply) -> None:
    message = Message.model_validate_json(encode.reply(reply, "asked"), strict=True)
    assert (message.model, message.stop_reason, message.stop_sequence) == (
        "asked",
        reply.stop_reason,
        reply.stop_sequence,
    )
    assert len(message.content) == len(reply.content)


def test_the_input_of_a_call_is_written_number_for_number() -> None:
    call = ToolUse("i", "n", '{"id": 12345678901234567890123, "x": 1.10}')
    written = encode.reply(Reply("m", "m", (call,), "tool_use", Usage()), "asked")
    assert b'"input":{"id": 12345678901234567890123, "x": 1.10}' in written


def test_an_input_that_is_no_object_does_not_break_the_message() -> None:
    written = encode.reply(Reply("m", "m", (ToolUse("i", "n", '{"a":'),), "max_tokens", Usage()), "asked")
    assert json.loads(written)["content"][0]["input"] == {"_raw": '{"a":'}


def test_citations_of_a_text_are_kept() -> None:
    written = encode.reply(Reply("m", "m", (Text("x", ({"a": 1},)),), "end_turn", Usage()), "asked")
    assert json.loads(written)["content"] == [{"type": "text", "text": "x", "citations": [{"a": 1}]}]
