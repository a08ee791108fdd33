"""Canonical answers as Messages API bytes: whole messages, and streams in their exact grammar."""

from typing import assert_never

from ucr import jsontext, sse
from ucr.dialects.anthropic import errors, usage
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
)
from ucr.jsontext import JsonObject, RawJson, dumps_text

_START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":%b,"type":"message","role":"assistant",'
    b'"model":%b,"content":[],"stop_reason":null,"stop_sequence":null,"usage":%b}}\n\n'
)
_TEXT_START = (
    b'event: content_block_start\ndata: {"type":"content_block_start","index":%d,'
    b'"content_block":{"type":"text","text":""}}\n\n'
)
_MESSAGE_DELTA = b'event: message_delta\ndata: {"type":"message_delta",%b\n\n'
PING = sse.encode(b'{"type": "ping"}', "ping")
_BLOCK_STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
_DELTA_END = b"}}\n\n"
_STOP = sse.encode(b'{"type":"message_stop"}', "message_stop")


def reply(reply: Reply, model: str) -> bytes:
    """Write a whole message; calls keep the text of their input, number for number."""
    message: JsonObject = {
        "id": reply.id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [
            {"type": "text", "text": block.text}
            if block.__class__ is Text and not block.citations
            else _whole(block)
            for block in reply.content
        ],
        "stop_reason": reply.stop_reason,
        "stop_sequence": reply.stop_sequence,
        "usage": usage.written_whole(reply.usage),
    }
    if reply.stop_details is not None:
        message["stop_details"] = reply.stop_details
    return jsontext.dumps(message)


def message_start(id_: str, model: str, counters: JsonObject) -> bytes:
    """Write the event that opens a stream."""
    return _START % (dumps_text(id_), dumps_text(model), jsontext.dumps(counters))


class MessageEncoder:
    """Writes one stream for a client that asked for `model`.

    A second `MessageStart` is left out: the first may have been sent early, to end a silence. What is the same
    in all deltas of a block is written once, since deltas are written for every token.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._is_open = False
        self._turn_to(0)

    def encode(self, event: Event) -> bytes:
        """Write one event."""
        if isinstance(event, BlockDelta):
            if event.index != self._index:
                self._turn_to(event.index)
            delta = event.delta
            if isinstance(delta, TextDelta):
                if delta.pieces:
                    return self._pieces(self._text_head, delta.text, delta.pieces)
                return self._text_head + dumps_text(delta.text) + _DELTA_END
            return self._delta(delta)
        if isinstance(event, BlockStart):
            return _block_start(event)
        if isinstance(event, BlockStop):
            return _BLOCK_STOP % event.index
        if isinstance(event, MessageDelta):
            return _message_delta(event)
        if isinstance(event, MessageStop):
            return _STOP
        if isinstance(event, MessageStart):
            return self._start(event)
        if isinstance(event, Ping):
            return PING
        if isinstance(event, Failed):
            return sse.encode(errors.written(event.error), "error")
        assert_never(event)

    def _pieces(self, head: bytes, text: str, pieces: tuple[str, ...]) -> bytes:
        """Write a delta for each piece of a text."""
        return b"%b%b%b" % (head, jsontext.split_text(text, pieces, _DELTA_END + head), _DELTA_END)

    def _turn_to(self, index: int) -> None:
        self._index = index
        self._head = (
            b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":' % index
        )
        self._text_head = self._head + b'{"type":"text_delta","text":'
        self._input_head = self._head + b'{"type":"input_json_delta","partial_json":'
        self._thinking_head = self._head + b'{"type":"thinking_delta","thinking":'

    def _delta(self, delta: InputJsonDelta | ThinkingDelta | SignatureDelta | OpaqueDelta) -> bytes:
        if isinstance(delta, InputJsonDelta):
            return self._input_head + dumps_text(delta.partial_json) + _DELTA_END
        if isinstance(delta, ThinkingDelta):
            if delta.pieces:
                return self._pieces(self._thinking_head, delta.thinking, delta.pieces)
            return self._thinking_head + dumps_text(delta.thinking) + _DELTA_END
        return self._head + jsontext.dumps(_rare(delta)) + b"}\n\n"

    def _start(self, event: MessageStart) -> bytes:
        if self._is_open:
            return b""
        self._is_open = True
        return message_start(event.id, self._model, usage.written_whole(event.usage))


def _event(type_: str, fields: JsonObject) -> bytes:
    return sse.encode(jsontext.dumps({"type": type_, **fields}), type_)


def _block_start(event: BlockStart) -> bytes:
    block = event.block
    if isinstance(block, Text) and not block.text and not block.citations:
        return _TEXT_START % event.index
    return _event("content_block_start", {"index": event.index, "content_block": _opened(block)})


def _message_delta(event: MessageDelta) -> bytes:
    delta: JsonObject = {"stop_reason": event.stop_reason, "stop_sequence": event.stop_sequence}
    if event.stop_details is not None:
        delta["stop_details"] = event.stop_details
    return _MESSAGE_DELTA % jsontext.dumps({"delta": delta, "usage": usage.written(event.usage)})[1:]


def _whole(block: Block) -> JsonObject:
    if isinstance(block, ToolUse):
        return {**_opened(block), "input": RawJson(jsontext.object_text(block.input_json))}
    return _opened(block)


def _opened(block: Block) -> JsonObject:
    match block:
        case Text(text, citations):
            cited = {"citations": [dict(citation) for citation in citations]} if citations else {}
            return {"type": "text", "text": text, **cited}
        case Thinking(thinking, signature):
            return {"type": "thinking", "thinking": thinking, "signature": signature}
        case RedactedThinking(data):
            return {"type": "redacted_thinking", "data": data}
        case ToolUse(id_, name, _):
            return {"type": "tool_use", "id": id_, "name": name, "input": {}}
        case Opaque(raw):
            return dict(raw)
        case _:
            assert_never(block)


def _rare(delta: SignatureDelta | OpaqueDelta) -> JsonObject:
    match delta:
        case SignatureDelta(signature):
            return {"type": "signature_delta", "signature": signature}
        case OpaqueDelta(raw):
            return dict(raw)
        case _:
            assert_never(delta)
