"""An answer as a stream of `chat.completion.chunk` objects.

The grammar: one chunk with the role, chunks with text, reasoning or calls, one chunk with the finish reason and
an empty delta, one without choices but with the usage when the client asked for it, and `[DONE]`.
"""

from typing import assert_never

from ucr import jsontext, sse
from ucr.dialects.openai_chat import client_layout
from ucr.dialects.openai_chat.client_errors import body_of
from ucr.dialects.openai_chat.client_layout import Entry
from ucr.dialects.openai_chat.client_reply import completion_id, finish_reason, refusal, usage
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
)
from ucr.jsontext import JsonObject

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = sse.comment("ping")


class ChunkEncoder:
    """Writes one stream. Opaque blocks and citations have no word in this dialect and are left out."""

    def __init__(self, model: str, created: int, *, with_usage: bool) -> None:
        self._model = jsontext.dumps(model)
        self._created = created
        self._with_usage = with_usage
        self._head = b""
        self._tail = b"," + b'"usage":null}' if with_usage else b"}"
        self._usage = Usage()
        self._calls = 0
        self._open: Block | None = None
        self._length = 0
        self._signature = ""
        self._entries: list[Entry] = []

    def encode(self, event: Event) -> bytes:
        """Return the chunks that an event amounts to."""
        if isinstance(event, BlockDelta):
            return self._delta(event.delta)
        match event:
            case BlockStart(block=block):
                return self._start(block)
            case BlockStop():
                return self._stop()
            case MessageStart():
                return self._opening(event)
            case MessageDelta():
                return self._finish(event)
            case MessageStop():
                return self._usage_chunk() + DONE
            case Ping():
                return KEEP_ALIVE
            case Failed(error):
                return sse.encode(body_of(error))
            case _:
                assert_never(event)

    def _opening(self, event: MessageStart) -> bytes:
        if self._head:
            return b""
        self._usage = event.usage
        self._head = b'data: {"id":%b,"object":"chat.completion.chunk","created":%d,"model":%b,"choices":[' % (
            jsontext.dumps(completion_id(event.id)),
            self._created,
            self._model,
        )
        return self._chunk({"role": "assistant", "content": ""})

    def _chunk(self, delta: JsonObject, finish: str | None = None) -> bytes:
        """Write a chunk; what is the same in all of them is written once."""
        return b'%b{"index":0,"delta":%b,"logprobs":null,"finish_reason":%b}]%b\n\n' % (
            self._head,
            jsontext.dumps(delta),
            b"null" if finish is None else b'"%b"' % finish.encode(),
            self._tail,
        )

    def _start(self, block: Block) -> bytes:
        self._open, self._length, self._signature = block, 0, ""
        match block:
            case Text(text):
                return self._delta(TextDelta(text))
            case Thinking(thinking, signature):
                self._signature = signature
                return self._delta(ThinkingDelta(thinking))
            case ToolUse():
                return self._call_start(block)
            case RedactedThinking() | Opaque():
                return b""
            case _:
                assert_never(block)

    def _call_start(self, use: ToolUse) -> bytes:
        """Open a call; its index counts calls alone, whatever blocks stand before it."""
        index, self._calls = self._calls, self._calls + 1
        function = {"name": use.name, "arguments": ""}
        return self._chunk(
            {"tool_calls": [{"index": index, "id": use.id, "type": "function", "function": function}]}
        )

    def _delta(self, delta: Delta) -> bytes:
        match delta:
            case TextDelta(text, pieces):
                return self._words(b"content", text, pieces)
            case ThinkingDelta(thinking, pieces):
                return self._words(b"reasoning_content", thinking, pieces)
            case InputJsonDelta(partial_json):
                return self._arguments(partial_json)
            case SignatureDelta(signature):
                self._signature = signature
                return b""
            case OpaqueDelta():
                return b""
            case _:
                assert_never(delta)

    def _words(self, field: bytes, text: str, pieces: tuple[str, ...]) -> bytes:
        """Write a chunk for a text, or for each of its pieces; this runs for every token."""
        if not text:
            return b""
        self._length += len(text)
        before = b'%b{"index":0,"delta":{"%b":' % (self._head, field)
        after = b'},"logprobs":null,"finish_reason":null}]%b\n\n' % self._tail
        said = jsontext.split_text(text, pieces, after + before) if pieces else jsontext.dumps_text(text)
        return b"%b%b%b" % (before, said, after)

    def _arguments(self, part: str) -> bytes:
        """Write a piece of a call's arguments; the input of tools that ran at the provider is not for us."""
        if not part or not isinstance(self._open, ToolUse):
            return b""
        self._length += len(part)
        return self._chunk({"tool_calls": [{"index": self._calls - 1, "function": {"arguments": part}}]})

    def _stop(self) -> bytes:
        closed, self._open = self._open, None
        match closed:
            case Text():
                self._entries.append(("text", self._length))
            case Thinking():
                self._entries.append(("thinking", self._length, self._signature))
            case RedactedThinking(data):
                self._entries.append(("redacted", data))
            case ToolUse():
                self._entries.append(("call",))
                return self._unsaid_arguments(closed)
            case Opaque() | None:
                pass
            case _:
                assert_never(closed)
        return b""

    def _unsaid_arguments(self, use: ToolUse) -> bytes:
        """Give a call that came without any deltas the arguments it opened with, for clients parse them."""
        if self._length:
            return b""
        self._open = use
        said = self._arguments(use.input_json or "{}")
        self._open = None
        return said

    def _finish(self, event: MessageDelta) -> bytes:
        self._usage = self._usage.updated(event.usage)
        packed = client_layout.pack(self._entries)
        refused = refusal(event.stop_reason, event.stop_details)
        parts = [
            b"" if packed is None else self._chunk({client_layout.FIELD: packed}),
            b"" if refused is None else self._chunk({"refusal": refused}),
            self._chunk({}, finish_reason(event.stop_reason, self._calls > 0)),
        ]
        return b"".join(parts)

    def _usage_chunk(self) -> bytes:
        counted = usage(self._usage) if self._with_usage else None
        return b"" if counted is None else b'%b],"usage":%b}\n\n' % (self._head, jsontext.dumps(counted))
