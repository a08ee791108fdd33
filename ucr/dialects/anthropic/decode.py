"""Messages API answers as canonical answers."""

from typing import Protocol

from msgspec import Struct
from msgspec.json import Decoder

from ucr import jsontext, sse
from ucr.dialects import faults
from ucr.dialects.anthropic import blocks, errors, usage
from ucr.dialects.anthropic.open_block import OpenBlock, Piece
from ucr.dialects.roles import Context
from ucr.errors import UpstreamError
from ucr.events import (
    Event,
    Failed,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    RedactedThinking,
    Reply,
    StopReason,
    Thinking,
    ToolUse,
    Usage,
)
from ucr.jsontext import JsonError, JsonObject


def message(body: bytes, provider: str) -> JsonObject:
    """Parse a whole answer; raise `UpstreamError` for an error in it and for what is no message."""
    try:
        value = jsontext.loads(body)
    except JsonError:
        raise faults.unreadable(provider, "answered what is not JSON", body) from None
    if not isinstance(value, dict):
        raise faults.unreadable(provider, "answered what is not a message", body)
    if value.get("type") == "error" or ("error" in value and "content" not in value):
        raise errors.read_event(provider, value, body)
    content = value.get("content")
    if not isinstance(content, list) or (content and not any(isinstance(block, dict) for block in content)):
        raise faults.unreadable(provider, "answered a message without content", body)
    return value


def reply(body: bytes, context: Context) -> Reply:
    """Read a whole answer."""
    value = message(body, context.provider)
    content = [block for raw in value["content"] if (block := blocks.read(raw, context.names)) is not None]
    if not context.thinking_wanted:
        content = [block for block in content if not isinstance(block, Thinking | RedactedThinking)]
    sequence, details = value.get("stop_sequence"), value.get("stop_details")
    return Reply(
        id=_word(value.get("id")),
        model=_word(value.get("model")) or context.model_used,
        content=tuple(content),
        stop_reason=blocks.stop_reason(value.get("stop_reason"), any(isinstance(b, ToolUse) for b in content)),
        usage=usage.read(value.get("usage")),
        stop_sequence=sequence if isinstance(sequence, str) else None,
        stop_details=details if isinstance(details, dict) else None,
    )


class _PlainDelta(Struct, frozen=True, gc=False, tag_field="type", tag="content_block_delta"):
    """A delta as nearly all are; what does not fit is read from its dictionary, to the same."""

    index: int
    delta: Piece


_PLAIN = Decoder(_PlainDelta)


class Reader(Protocol):
    """Reads the events of a stream from its bytes, as `sse.Decoder` does."""

    def feed(self, data: bytes) -> list[sse.SseEvent]: ...

    def close(self) -> list[sse.SseEvent]: ...


class MessageDecoder:
    """Reads a stream event by event.

    What comes before the start of the message, and what nobody knows yet, is skipped. A stream that contradicts
    itself (a second message after content, a delta for a block that is not open) ends in `Failed`: to guess
    would be to mix two answers.
    """

    stretch = None

    def __init__(self, context: Context, reader: Reader | None = None) -> None:
        self._context = context
        self._sse = reader or sse.Decoder()
        self._has_started = False
        self._has_ended = False
        self._has_calls = False
        self._blocks = 0
        self._open: OpenBlock | None = None
        self._usage = Usage()
        self._end: JsonObject | None = None

    @property
    def is_finishing(self) -> bool:
        """False always: the counters come before the end."""
        return False

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that became complete."""
        if self._has_ended:
            return []
        try:
            return self._events(self._sse.feed(data))
        except sse.SseError as error:
            return self._fail(faults.unreadable(self._context.provider, f"broke its stream: {error}"))

    def close(self) -> list[Event]:
        """Say that the bytes are at their end."""
        if self._has_ended:
            return []
        try:
            events = self._events(self._sse.close())
        except sse.SseError:
            events = []
        return events if self._has_ended else [*events, *self._fail(faults.cut_short(self._context.provider))]

    def _events(self, read: list[sse.SseEvent]) -> list[Event]:
        events: list[Event] = []
        for event in read:
            if self._has_ended:
                break
            if event.data.strip() != "[DONE]":
                events += self._event(event)
        return events

    def _event(self, event: sse.SseEvent) -> list[Event]:
        if event.name == "content_block_delta" and self._open is not None:
            read = _plain_delta(event.data)
            events = (
                self._open.go_on(read.delta) if read is not None and read.index == self._open.index else None
            )
            if events is not None:
                return events
        try:
            value = jsontext.loads_text(event.data)
        except JsonError:
            value = None
        if not isinstance(value, dict):
            return self._break("sent an event that is not JSON", event.data)
        match value.get("type", event.name):
            case "ping":
                return [Ping()]
            case "error":
                return self._fail(errors.read_event(self._context.provider, value, event.data.encode()))
            case "message_start":
                return self._start(value)
            case _ if not self._has_started:
                return []
            case "content_block_start":
                return self._block_start(value)
            case "content_block_delta":
                return self._block_delta(value)
            case "content_block_stop":
                return self._block_stop(value)
            case "message_delta":
                return self._message_delta(value)
            case "message_stop":
                return self._message_stop()
            case _:
                return []

    def _start(self, value: JsonObject) -> list[Event]:
        if self._has_started:
            return self._break("began a second message in one stream") if self._blocks or self._end else []
        self._has_started = True
        start = _object(value.get("message"))
        self._usage = usage.read(start.get("usage"))
        model = _word(start.get("model")) or self._context.model_used
        return [MessageStart(_word(start.get("id")), model, self._usage)]

    def _block_start(self, value: JsonObject) -> list[Event]:
        block = blocks.read(value.get("content_block"), self._context.names)
        if block is None:
            return self._break("opened a block that is not one")
        closed = self._close_block()
        is_hidden = isinstance(block, Thinking | RedactedThinking) and not self._context.thinking_wanted
        self._has_calls = self._has_calls or isinstance(block, ToolUse)
        self._open = OpenBlock(value.get("index"), self._blocks, block, is_hidden)
        self._blocks += not is_hidden
        return [*closed, *self._open.start()]

    def _block_delta(self, value: JsonObject) -> list[Event]:
        if self._open is None or value.get("index") != self._open.index:
            return self._break("sent a part of a block that is not open")
        return self._open.delta(_object(value.get("delta")))

    def _block_stop(self, value: JsonObject) -> list[Event]:
        return self._close_block() if self._open and value.get("index") == self._open.index else []

    def _close_block(self) -> list[Event]:
        closed, self._open = self._open.stop() if self._open else [], None
        return closed

    def _message_delta(self, value: JsonObject) -> list[Event]:
        self._usage = self._usage.updated(usage.read(value.get("usage")))
        known = {key: item for key, item in _object(value.get("delta")).items() if item is not None}
        self._end = {**(self._end or {}), **known}
        return self._close_block()

    def _message_stop(self) -> list[Event]:
        if self._end is None and not self._blocks:
            return self._break("ended a message that has neither content nor a reason to end")
        end = self._end or {}
        sequence, details = end.get("stop_sequence"), end.get("stop_details")
        closed = self._close_block()
        self._has_ended = True
        return [
            *closed,
            MessageDelta(
                self._stop_reason(end),
                self._usage,
                sequence if isinstance(sequence, str) else None,
                details if isinstance(details, dict) else None,
            ),
            MessageStop(),
        ]

    def _stop_reason(self, end: JsonObject) -> StopReason:
        return blocks.stop_reason(end.get("stop_reason"), self._has_calls)

    def _break(self, what: str, shown: str = "") -> list[Event]:
        return self._fail(faults.unreadable(self._context.provider, what, shown.encode()))

    def _fail(self, error: UpstreamError) -> list[Event]:
        self._has_ended = True
        return [Failed(error)]


def _plain_delta(data: str) -> _PlainDelta | None:
    try:
        return _PLAIN.decode(data)
    except (ValueError, RecursionError):
        return None


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def _object(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}
