"""Chat-completions streams in a few words, and what is read of them."""

import json
from typing import Any

from msgspec.structs import asdict

from ucr.answer import collect
from ucr.catalogue import Quirks
from ucr.dialects import envelope
from ucr.dialects.openai_chat.stream import ChatStreamDecoder
from ucr.dialects.roles import Context
from ucr.events import (
    BlockDelta,
    Event,
    RedactedThinking,
    Reply,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
)
from ucr.stress.grammar import problems


def context(provider: str = "p", *, stream: bool = True, **changes: Any) -> Context:
    """Return the context of a request for Claude that went to some provider; `changes` go to its quirks."""
    shown = changes.pop("thinking_wanted", True)
    names = changes.pop("names", {})
    return Context(
        provider=provider,
        model_asked="claude-asked",
        model_used="used",
        stream=stream,
        quirks=Quirks(**changes),
        names=names,
        input_estimate=7,
        thinking_wanted=shown,
    )


def decoded(body: bytes, about: Context, *cuts: int) -> list[Event]:
    """Return the events of a stream that is fed in the parts that the cuts make, one for each piece."""
    decoder = ChatStreamDecoder(about)
    events: list[Event] = []
    for start, end in zip((0, *cuts), (*cuts, len(body)), strict=True):
        events += decoder.feed(body[start:end])
    return [single for event in [*events, *decoder.close()] for single in apart(event)]


def apart(event: Event) -> list[Event]:
    """Return a delta of several pieces as one delta for each; any other event as it is."""
    if not isinstance(event, BlockDelta) or not isinstance(event.delta, TextDelta | ThinkingDelta):
        return [event]
    kind, pieces = type(event.delta), event.delta.pieces
    return [BlockDelta(event.index, kind(piece)) for piece in pieces] if pieces else [event]


def sse(*chunks: object, done: bool = True) -> bytes:
    """Return a stream of chunks."""
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*lines, "data: [DONE]\n\n"] if done else lines).encode()


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """Return a chunk with one choice."""
    return {"id": "c1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def call(
    index: int | None = 0, id_: str | None = None, name: str | None = None, arguments: str | None = None
) -> Any:
    """Return a piece of a call; None leaves a field out."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    fields = {"index": index, "id": id_, "function": function}
    return {key: value for key, value in fields.items() if value is not None}


def calls(*pieces: Any, finish: str | None = None, **delta: Any) -> Any:
    return chunk(finish, tool_calls=list(pieces), **delta)


USAGE = {"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 5}}


END = chunk("tool_calls")


def told(*chunks: Any, done: bool = True, **about: Any) -> dict[str, Any]:
    """Return what a good stream says."""
    events = decoded(sse(*chunks, done=done), context(**about))
    assert problems(events) == []
    return written(collect(events))


def content(*chunks: Any, **about: Any) -> list[dict[str, Any]]:
    """Return the blocks of a good stream, without ids and states."""
    blocks: list[dict[str, Any]] = told(*chunks, **about)["content"]
    return [{key: block[key] for key in block if key not in ("id", "provider", "state")} for block in blocks]


def use(name: str, **given: Any) -> dict[str, Any]:
    return {"tool_use": name, "input": given}


def written(reply: Reply) -> dict[str, Any]:
    return {
        "id": reply.id,
        "model": reply.model,
        "content": [_block(block) for block in reply.content],
        "stop_reason": reply.stop_reason,
        "usage": {name: count for name, count in asdict(reply.usage).items() if count is not None},
    }


def _block(block: object) -> dict[str, Any]:
    match block:
        case Text(text):
            return {"text": text}
        case Thinking(thinking, signature):
            sealed = envelope.unseal(signature)
            if sealed is None:
                return {"thinking": thinking, "signature": signature}
            return {"thinking": thinking, "provider": sealed.provider, "state": sealed.state}
        case RedactedThinking(data):
            return {"redacted": data}
        case ToolUse(id_, name, input_json):
            return {"tool_use": name, "id": id_, "input": json.loads(input_json)}
    raise AssertionError(block)
