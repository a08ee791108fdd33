"""An answer as a stream of Responses events.

The grammar: `response.created` and `response.in_progress`; for each item of the output `response.output_item.added`,
what it holds, and `response.output_item.done`; and `response.completed` or `response.incomplete`, which says once
more all that was said. Every event has the next sequence number.

How this works: texts in a row are parts of one message, which therefore ends only when something else begins, or
the answer does. What was said is kept until the end, which repeats it, and is bounded in its size.
"""

from typing import assert_never

from ucr.dialects.openai_chat.client_reply import refusal
from ucr.dialects.openai_chat.client_stream import KEEP_ALIVE
from ucr.dialects.openai_responses import client_errors, client_reasoning
from ucr.dialects.openai_responses.client_output import Output
from ucr.dialects.openai_responses.client_response import INCOMPLETE, begun, ended, response_id
from ucr.dialects.openai_responses.client_tools import Origin, origins
from ucr.dialects.openai_responses.client_writers import (
    CallWriter,
    MessageWriter,
    ReasoningWriter,
    SearchWriter,
)
from ucr.dialects.roles import Request
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


class ResponseEncoder:
    """Writes one stream. Opaque blocks but searches, and citations, have no word in this dialect and are left out.

    `response` is what was last said of the response as a whole.
    """

    def __init__(self, request: Request, created_at: int) -> None:
        self._model = request.model
        self._asked = {key: value for key, value in request.body.items() if key not in ("input", "tools")}
        self._origins = origins(request.body)
        self._created_at = created_at
        self._output = Output("")
        self._message: MessageWriter | None = None
        self._open: MessageWriter | ReasoningWriter | CallWriter | SearchWriter | None = None
        self._usage = Usage()
        self._end: MessageDelta | None = None
        self.response: JsonObject = {}

    def encode(self, event: Event) -> bytes:
        """Return the events that an event amounts to."""
        match event:
            case BlockDelta(delta=delta):
                return self._delta(delta)
            case BlockStart(block=block):
                return self._start(block)
            case BlockStop():
                return self._stop()
            case MessageStart():
                return self._opening(event)
            case MessageDelta():
                return self._finish(event)
            case MessageStop():
                return self._close()
            case Ping():
                return KEEP_ALIVE
            case Failed(error):
                return client_errors.stream_error(error, self._output.sequence, self.response)
            case _:
                assert_never(event)

    def _opening(self, event: MessageStart) -> bytes:
        if self.response:
            return b""
        self._usage = event.usage
        id_ = response_id(event.id)
        self._output = Output(id_.removeprefix("resp_"))
        self.response = begun(id_, self._model, self._created_at, self._asked)
        created = self._output.event("response.created", response=self.response)
        return created + self._output.event("response.in_progress", response=self.response)

    def _start(self, block: Block) -> bytes:
        match block:
            case Text(text):
                return self._start_text(text)
            case Thinking(thinking, signature):
                before = self._end_message()
                self._open = writer = ReasoningWriter(self._output)
                writer.signature = signature
                return before + writer.open() + self._delta(ThinkingDelta(thinking))
            case RedactedThinking(data):
                return self._end_message() + self._redacted(data)
            case ToolUse():
                before = self._end_message()
                origin = self._origins.get(block.name) or Origin(block.name)
                self._open = CallWriter(self._output, block, origin)
                return before + self._open.open()
            case Opaque(raw) if raw.get("type") == "server_tool_use" and raw.get("name") == "web_search":
                before = self._end_message()
                self._open = SearchWriter(self._output, raw.get("input"))
                return before + self._open.open()
            case Opaque():
                return b""
            case _:
                assert_never(block)

    def _start_text(self, text: str) -> bytes:
        written = b""
        if self._message is None:
            self._message = MessageWriter(self._output)
            written = self._message.open()
        self._open = self._message
        return written + self._message.open_text() + self._delta(TextDelta(text))

    def _redacted(self, data: str) -> bytes:
        writer = ReasoningWriter(self._output)
        return writer.open() + writer.close_with("", client_reasoning.seal_redacted(data))

    def _delta(self, delta: Delta) -> bytes:
        """Write a piece of what is open; the input of tools that ran at the provider is not for us."""
        writer = self._open
        match delta:
            case TextDelta() if isinstance(writer, MessageWriter):
                return b"".join(map(writer.delta, pieces_of(delta)))
            case ThinkingDelta() if isinstance(writer, ReasoningWriter):
                return b"".join(map(writer.delta, pieces_of(delta)))
            case InputJsonDelta(piece) if piece and isinstance(writer, CallWriter | SearchWriter):
                return writer.delta(piece)
            case SignatureDelta(signature) if isinstance(writer, ReasoningWriter):
                writer.signature = signature
                return b""
            case TextDelta() | ThinkingDelta() | InputJsonDelta() | SignatureDelta() | OpaqueDelta():
                return b""
            case _:
                assert_never(delta)

    def _stop(self) -> bytes:
        closed, self._open = self._open, None
        if closed is None:
            return b""
        return closed.close_text() if isinstance(closed, MessageWriter) else closed.close()

    def _end_message(self, *, is_whole: bool = True) -> bytes:
        message, self._message = self._message, None
        return b"" if message is None else message.close(is_whole=is_whole)

    def _finish(self, event: MessageDelta) -> bytes:
        self._end = event
        self._usage = self._usage.updated(event.usage)
        refused = refusal(event.stop_reason, event.stop_details)
        written = b""
        if refused is not None:
            if self._message is None:
                self._message = MessageWriter(self._output)
                written = self._message.open()
            written += self._message.refuse(refused)
        return written + self._end_message(is_whole=event.stop_reason not in INCOMPLETE)

    def _close(self) -> bytes:
        stop_reason = "end_turn" if self._end is None else self._end.stop_reason
        self.response = ended(self.response, self._output.items, stop_reason, self._usage)
        return self._output.event(f"response.{self.response['status']}", response=self.response)
