"""An answer as a stream of `GenerateContentResponse` objects: server-sent events, or one JSON array.

Text and thoughts go out as they come, a call when it is whole; the last object has the finish reason and the
counters. Nothing keeps a silent stream alive: these clients know neither pings nor comments.
"""

from typing import assert_never

from ucr import jsontext, sse
from ucr.dialects.gemini.client_reply import (
    Thoughts,
    call_part,
    candidate,
    response_id,
    usage_field,
)
from ucr.dialects.gemini.errors import body_of
from ucr.events import (
    Block,
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
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
    Usage,
    pieces_of,
)
from ucr.jsontext import JsonObject


class ContentEncoder:
    """Writes one stream. Opaque blocks and citations have no word in this dialect and are left out."""

    def __init__(self, model: str, *, shows_thoughts: bool, is_array: bool) -> None:
        self._model = model
        self._shows_thoughts = shows_thoughts
        self._is_array = is_array
        self._has_begun = False
        self._id = ""
        self._usage = Usage()
        self._thoughts = Thoughts()
        self._open: Block | None = None
        self._pieces: list[str] = []
        self._signature = ""

    def encode(self, event: Event) -> bytes:
        """Return the objects that an event amounts to."""
        match event:
            case BlockDelta(delta=delta):
                return self._delta(delta)
            case BlockStart(block=block):
                return self._start(block)
            case BlockStop():
                return self._stop()
            case MessageStart(id=id_, usage=usage):
                self._id = self._id or response_id(id_)
                self._usage = self._usage.updated(usage)
                return b""
            case MessageDelta(stop_reason=reason, usage=usage, stop_details=details):
                self._usage = self._usage.updated(usage)
                return self._chunk(candidate([], reason, details), usage_field(self._usage))
            case MessageStop():
                return b"]" if self._is_array else b""
            case Ping():
                return b""
            case Failed(error):
                return self._written(body_of(error)) + (b"]" if self._is_array else b"")
            case _:
                assert_never(event)

    def _written(self, data: bytes) -> bytes:
        if not self._is_array:
            return sse.encode(data)
        lead, self._has_begun = b",\n" if self._has_begun else b"[", True
        return lead + data

    def _chunk(self, made: JsonObject, more: JsonObject) -> bytes:
        value = {"candidates": [made], **more, "modelVersion": self._model, "responseId": self._id}
        return self._written(jsontext.dumps(value))

    def _part(self, part: JsonObject) -> bytes:
        return self._chunk(candidate([part]), {})

    def _start(self, block: Block) -> bytes:
        self._open, self._signature = block, ""
        self._pieces.clear()
        match block:
            case Text(text):
                return self._delta(TextDelta(text))
            case Thinking(thinking, signature):
                self._signature = signature
                return self._delta(ThinkingDelta(thinking))
            case ToolUse() | RedactedThinking() | Opaque():
                return b""
            case _:
                assert_never(block)

    def _delta(self, delta: Delta) -> bytes:
        match delta:
            case TextDelta(text):
                self._pieces.append(text)
                return b"".join([self._part({"text": piece}) for piece in pieces_of(delta)])
            case ThinkingDelta(thinking):
                self._pieces.append(thinking)
                shown = pieces_of(delta) if self._shows_thoughts else ()
                return b"".join([self._part({"text": piece, "thought": True}) for piece in shown])
            case InputJsonDelta(partial_json):
                self._pieces.append(partial_json)
            case SignatureDelta(signature):
                self._signature = signature
            case OpaqueDelta():
                pass
            case _:
                assert_never(delta)
        return b""

    def _stop(self) -> bytes:
        said, closed = "".join(self._pieces), self._open
        self._open = None
        match closed:
            case Text():
                self._thoughts.note(Text(said))
            case Thinking():
                self._thoughts.note(Thinking(said, self._signature))
            case RedactedThinking():
                self._thoughts.note(closed)
            case ToolUse(id_, name, input_json):
                return self._part(call_part(ToolUse(id_, name, said or input_json), self._thoughts))
            case Opaque() | None:
                pass
            case _:
                assert_never(closed)
        return b""
