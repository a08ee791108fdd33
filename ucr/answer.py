"""An answer in its two forms: a list of events, and a whole reply.

For a provider that streams although it was not asked to, and for one that does not although it was.
"""

from collections.abc import Iterable
from typing import Any, assert_never

from ucr import jsontext
from ucr.errors import UpstreamError
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
    Reply,
    SignatureDelta,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
    Usage,
)
from ucr.jsontext import JsonError, JsonObject


def collect(events: Iterable[Event]) -> Reply:
    """Put a reply together; raise `UpstreamError` for a `Failed` and for events that end too early."""
    start: MessageStart | None = None
    end: MessageDelta | None = None
    content: list[Block] = []
    opened: Block | None = None
    deltas: list[Delta] = []
    for event in events:
        match event:
            case MessageStart():
                start = start or event
            case BlockStart(block=block):
                opened, deltas = block, []
            case BlockDelta(delta=delta):
                deltas.append(delta)
            case BlockStop():
                content += [] if opened is None else [_closed(opened, deltas)]
                opened = None
            case MessageDelta():
                end = event
            case Failed():
                raise _upstream(event)
            case MessageStop() if start is not None and end is not None:
                return _reply(start, tuple(content), end)
            case MessageStop() | Ping():
                pass
            case _:
                assert_never(event)
    raise UpstreamError("api_error", "the answer ended before it was complete", fault="midstream")


def _reply(start: MessageStart, content: tuple[Block, ...], end: MessageDelta) -> Reply:
    return Reply(
        id=start.id,
        model=start.model,
        content=content,
        stop_reason=end.stop_reason,
        usage=start.usage.updated(end.usage),
        stop_sequence=end.stop_sequence,
        stop_details=end.stop_details,
    )


def _upstream(failed: Failed) -> UpstreamError:
    error = failed.error
    if isinstance(error, UpstreamError):
        return error
    return UpstreamError(error.type, error.message, status=error.status, fault="midstream")


def _closed(block: Block, deltas: list[Delta]) -> Block:
    """Return a block with what its deltas added."""
    match block:
        case Text():
            added = "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))
            return Text(block.text + added, (*block.citations, *_citations(deltas)))
        case Thinking():
            added = "".join(delta.thinking for delta in deltas if isinstance(delta, ThinkingDelta))
            signatures = [delta.signature for delta in deltas if isinstance(delta, SignatureDelta)]
            return Thinking(block.thinking + added, signatures[-1] if signatures else block.signature)
        case ToolUse():
            text = _input_text(deltas)
            return ToolUse(block.id, block.name, jsontext.object_text(text) if text else block.input_json)
        case Opaque():
            return Opaque(_closed_raw(dict(block.raw), deltas))
        case RedactedThinking():
            return block
        case _:
            assert_never(block)


def _citations(deltas: list[Delta]) -> list[Any]:
    raws = [delta.raw for delta in deltas if isinstance(delta, OpaqueDelta)]
    return [raw["citation"] for raw in raws if raw.get("type") == "citations_delta" and "citation" in raw]


def _input_text(deltas: list[Delta]) -> str:
    return "".join(delta.partial_json for delta in deltas if isinstance(delta, InputJsonDelta))


def _closed_raw(raw: JsonObject, deltas: list[Delta]) -> JsonObject:
    """Add deltas to a block of an unknown kind: texts grow, other values are replaced."""
    for delta in deltas:
        if isinstance(delta, OpaqueDelta):
            for name, value in delta.raw.items():
                grows = isinstance(value, str) and isinstance(raw.get(name), str)
                if name != "type":
                    raw[name] = raw[name] + value if grows else value
    if text := _input_text(deltas):
        try:
            raw["input"] = jsontext.loads_text(text)
        except JsonError:
            raw["input"] = {"_raw": text}
    return raw


def play(reply: Reply) -> list[Event]:
    """Return the events of a stream that says what a reply says."""
    usage = reply.usage
    begun = Usage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_creation_tokens=usage.cache_creation_tokens,
    )
    events: list[Event] = [MessageStart(reply.id, reply.model, begun)]
    for index, block in enumerate(reply.content):
        opening, deltas = _opened(block)
        events.append(BlockStart(index, opening))
        events += [BlockDelta(index, delta) for delta in deltas]
        events.append(BlockStop(index))
    end = MessageDelta(reply.stop_reason, usage, reply.stop_sequence, reply.stop_details)
    return [*events, end, MessageStop()]


def _opened(block: Block) -> tuple[Block, list[Delta]]:
    """Return a block as it opens in a stream, and the deltas that make it whole."""
    match block:
        case Text(text, citations):
            cited: list[Delta] = [
                OpaqueDelta({"type": "citations_delta", "citation": citation}) for citation in citations
            ]
            return Text(""), [*([TextDelta(text)] if text else []), *cited]
        case Thinking(thinking, signature):
            deltas: list[Delta] = [ThinkingDelta(thinking)] if thinking else []
            return Thinking(""), [*deltas, *([SignatureDelta(signature)] if signature else [])]
        case ToolUse(id_, name, input_json):
            return ToolUse(id_, name), [InputJsonDelta(input_json)]
        case Opaque(raw) if isinstance(raw.get("input"), dict):
            return Opaque({**raw, "input": {}}), [InputJsonDelta(jsontext.dumps(raw["input"]).decode())]
        case Opaque() | RedactedThinking():
            return block, []
        case _:
            assert_never(block)
