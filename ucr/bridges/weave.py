"""Several answers of a model, and what tools brought between them, as one message for the client. Pure.

How this works: a `Weave` is the message, a `Strand` one answer in it. A strand has the shape of an encoder: it lets
everything pass to the client's own one, with the next free indexes, but for the calls of functions that the router
runs, and the end where something follows. A strand of an answer that failed before anybody saw it is thrown away, and
leaves nothing in the weave.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ucr import answer, jsontext
from ucr.bridges import blocks
from ucr.bridges.asked import Kind
from ucr.dialects.anthropic import encode
from ucr.dialects.roles import StreamEncoder
from ucr.errors import UpstreamError
from ucr.events import (
    Block,
    BlockDelta,
    BlockStart,
    BlockStop,
    Event,
    InputJsonDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    Opaque,
    Reply,
    StopReason,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
    Usage,
)
from ucr.jsontext import JsonError, JsonObject

LIMIT_CHARS = 4 * 1024 * 1024
"""The most of all answers of one message that is kept, to be told to the model again."""
_EVENT_CHARS = 100


class Weave:
    """One message. `kinds` are the names of the functions that the router runs; `usage` is that of whole answers."""

    def __init__(self, encoder: StreamEncoder, kinds: Mapping[str, Kind]) -> None:
        self.encoder = encoder
        self.kinds = kinds
        self.next_index = 0
        self.is_begun = False
        self.usage = Usage()
        self.content: list[Block] = []
        self.chars = 0
        self._id = ""

    def __repr__(self) -> str:
        return f"<Weave of {len(self.content)} blocks>"

    def take(self, strand: "Strand") -> Reply:
        """Take an answer into the message; return it as the model gave it."""
        reply = strand.whole()
        self.chars += _size(reply)
        if self.chars > LIMIT_CHARS and strand.goes_on:
            raise _too_long()
        if not self.is_begun:
            self.is_begun, self._id = True, reply.id
        self.next_index = strand.next_index
        self.usage = summed(self.usage, reply.usage)
        self.content += [block for block in reply.content if not self.is_run(block)]
        return reply

    def is_run(self, block: Block) -> bool:
        """True for the call of a function that the router runs."""
        return isinstance(block, ToolUse) and block.name in self.kinds

    def add(self, raw: JsonObject) -> bytes:
        """Put a block of the router's own into the message; return what a streaming client gets."""
        index = self.next_index
        self.next_index += 1
        self.content.append(Opaque(raw))
        events: list[Event] = [BlockStart(index, Opaque(raw)), BlockStop(index)]
        if raw.get("type") == blocks.CALL:
            given = jsontext.dumps(raw["input"]).decode()
            events = [
                BlockStart(index, Opaque({**raw, "input": {}})),
                BlockDelta(index, InputJsonDelta(given)),
                BlockStop(index),
            ]
        return self._written(events)

    def count(self, kind: Kind) -> None:
        """Count one use of a tool."""
        one = Usage(web_searches=1 if kind == "web_search" else 0, web_fetches=1 if kind == "web_fetch" else 0)
        self.usage = summed(self.usage, one)

    def end(self, reply: Reply, stop_reason: StopReason) -> bytes:
        """Return the end of a stream whose last answer was this one."""
        end = MessageDelta(stop_reason, self.usage, reply.stop_sequence, reply.stop_details)
        return self._written([end, MessageStop()])

    def whole(self, last: Reply, stop_reason: StopReason) -> Reply:
        """Return the whole message, whose last answer was this one."""
        return Reply(
            self._id,
            last.model,
            tuple(self.content),
            stop_reason,
            self.usage,
            last.stop_sequence,
            last.stop_details,
        )

    def _written(self, events: Sequence[Event]) -> bytes:
        return b"".join([self.encoder.encode(event) for event in events])


class Strand:
    """One answer on its way into a weave. `reply` is the answer where it came as a whole."""

    def __init__(self, weave: Weave) -> None:
        self._weave = weave
        self._events: list[Event] = []
        self._chars = weave.chars
        self._is_hidden = False
        self._calls = 0
        self.next_index = weave.next_index
        self.goes_on = False
        self.reply: Reply | None = None

    def encode(self, event: Event) -> bytes:
        """Take an event; return what the client gets of it."""
        self._keep(event)
        match event:
            case MessageStart():
                return b"" if self._weave.is_begun else self._pass(event)
            case BlockStart(block=block):
                self._is_hidden = self._weave.is_run(block)
                if self._is_hidden:
                    self._calls += 1
                    return b""
                return self._pass(BlockStart(self.next_index, block))
            case BlockDelta(delta=delta):
                return b"" if self._is_hidden else self._pass(BlockDelta(self.next_index, delta))
            case BlockStop():
                return self._stop()
            case MessageDelta():
                return self._end(event)
            case MessageStop():
                return b"" if self.goes_on else self._pass(event)
            case _:
                return self._pass(event)

    def _pass(self, event: Event) -> bytes:
        return self._weave.encoder.encode(event)

    def _stop(self) -> bytes:
        if self._is_hidden:
            self._is_hidden = False
            return b""
        self.next_index += 1
        return self._pass(BlockStop(self.next_index - 1))

    def _end(self, event: MessageDelta) -> bytes:
        """Hold the end back where tools are to be run; otherwise let it speak of the whole message."""
        self.goes_on = self._calls > 0 and event.stop_reason == "tool_use"
        if self.goes_on:
            return b""
        own = self._events[0].usage if isinstance(self._events[0], MessageStart) else Usage()
        usage = summed(self._weave.usage, own.updated(event.usage))
        return self._pass(
            MessageDelta(event.stop_reason, usage, event.stop_sequence, event.stop_details, event.is_estimated)
        )

    def _keep(self, event: Event) -> None:
        self._chars += _EVENT_CHARS + _chars(event)
        if self._chars <= LIMIT_CHARS:
            self._events.append(event)

    def take(self, reply: Reply) -> None:
        """Take an answer that came as a whole."""
        self.reply = reply
        self.goes_on = reply.stop_reason == "tool_use" and any(map(self._weave.is_run, reply.content))
        self.next_index += sum(not self._weave.is_run(block) for block in reply.content)

    def whole(self) -> Reply:
        """Return the answer; raise `UpstreamError` for one that is too long to be kept."""
        if self.reply is not None:
            return self.reply
        if self._chars > LIMIT_CHARS:
            raise _too_long()
        return answer.collect(self._events)


def summed(first: Usage, second: Usage) -> Usage:
    """Return the sum of two answers' counters; what neither knows is not known."""
    pairs = zip(msgspec.structs.astuple(first), msgspec.structs.astuple(second), strict=True)
    return Usage(*[None if one is other is None else (one or 0) + (other or 0) for one, other in pairs])


def turn_of(reply: Reply) -> JsonObject:
    """Return an answer as a turn of the canonical conversation."""
    message: Any = jsontext.loads(encode.reply(reply, reply.model))
    return {"role": "assistant", "content": message["content"]}


def given(call: ToolUse) -> JsonObject:
    """Return the arguments of a call; an empty object where they are none."""
    try:
        value = jsontext.loads_text(call.input_json)
    except JsonError:
        return {}
    return value if isinstance(value, dict) else {}


def _too_long() -> UpstreamError:
    words = "an answer that calls tools of the router's is longer than the router keeps"
    return UpstreamError("api_error", words, fault="midstream")


def _size(reply: Reply) -> int:
    """Return about how many characters an answer takes."""
    return sum(_EVENT_CHARS + _length(block) for block in reply.content)


def _length(block: Block) -> int:
    if isinstance(block, Text):
        return len(block.text)
    if isinstance(block, ToolUse):
        return len(block.input_json)
    return len(block.thinking) if isinstance(block, Thinking) else _EVENT_CHARS


def _chars(event: Event) -> int:
    if not isinstance(event, BlockDelta):
        return 0
    delta = event.delta
    if isinstance(delta, TextDelta):
        return len(delta.text) + _EVENT_CHARS * len(delta.pieces)
    if isinstance(delta, ThinkingDelta):
        return len(delta.thinking) + _EVENT_CHARS * len(delta.pieces)
    return len(delta.partial_json) if isinstance(delta, InputJsonDelta) else _EVENT_CHARS
