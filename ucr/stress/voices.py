"""How a virtual provider says its words in its dialect, whole and as a stream. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from ucr.stress.words import INPUT_TOKENS

Words = Sequence[str]


def whole(dialect: str, words: Words) -> bytes:
    """Return a whole answer."""
    text = "".join(words)
    if dialect == "anthropic":
        usage = {"input_tokens": INPUT_TOKENS, "output_tokens": len(words)}
        content = [{"type": "text", "text": text}]
        return _json(_message(content, usage, stop_reason="end_turn"))
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return _json(_chat("chat.completion", [choice], usage=_chat_usage(words)))


def stream(dialect: str, words: Words) -> list[bytes]:
    """Return the events of a stream, each in its bytes: what opens it, one for each word, and what ends it."""
    return _anthropic_stream(words) if dialect == "anthropic" else _chat_stream(words)


def error(dialect: str, type_: str, message: str) -> bytes:
    """Return an error as a body, and as the data of an event."""
    said: dict[str, Any] = {"type": type_, "message": message}
    if dialect == "anthropic":
        return _json({"type": "error", "error": said})
    return _json({"error": {**said, "param": None, "code": None}})


def error_event(dialect: str) -> bytes:
    """Return the event by which a stream says that it cannot go on."""
    name = b"event: error\n" if dialect == "anthropic" else b""
    return b"%bdata: %b\n\n" % (name, error(dialect, "overloaded_error", "out of order"))


def _anthropic_stream(words: Words) -> list[bytes]:
    start = _message([], {"input_tokens": INPUT_TOKENS, "output_tokens": 1}, stop_reason=None)
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
        for word in words
    ]
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *deltas,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": len(words)}},
        {"type": "message_stop"},
    ]
    return [b"event: %b\ndata: %b\n\n" % (event["type"].encode(), _json(event)) for event in events]


def _chat_stream(words: Words) -> list[bytes]:
    deltas: list[tuple[dict[str, Any], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": word}, None) for word in words]
    deltas.append(({}, "stop"))
    chunks = [
        _chat("chat.completion.chunk", [{"index": 0, "delta": delta, "finish_reason": reason}])
        for delta, reason in deltas
    ]
    chunks.append(_chat("chat.completion.chunk", [], usage=_chat_usage(words)))
    return [*(b"data: %b\n\n" % _json(chunk) for chunk in chunks), b"data: [DONE]\n\n"]


def _message(content: list[Any], usage: dict[str, int], *, stop_reason: str | None) -> dict[str, Any]:
    return {
        "id": "msg_virtual",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage,
    }


def _chat(kind: str, choices: list[Any], **more: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-virtual", "object": kind, "created": 1, "model": "m", "choices": choices, **more}


def _chat_usage(words: Words) -> dict[str, int]:
    return {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": len(words),
        "total_tokens": INPUT_TOKENS + len(words),
    }


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
