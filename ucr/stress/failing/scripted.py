"""What an upstream says, as handlers that answer in the dialect of the path that was asked."""

import json
from typing import Any

import trio

from ucr.stress.failing.moves import (
    ERROR,
    BreakOff,
    Dialect,
    Refuse,
    Say,
    anthropic_events,
    anthropic_message,
    chat_chunks,
    chat_completion,
    error_body,
)
from ucr.stress.upstream import Answer, Handler, SeenRequest

_JSON = (("content-type", "application/json"), ("request-id", "req_upstream"))
_STREAM = (("content-type", "text/event-stream"), ("request-id", "req_upstream"))


def says(move: Say | Refuse | BreakOff) -> Handler:
    """Answer with a message, an HTTP error, or a stream that breaks off with an error event."""

    async def handle(request: SeenRequest, answer: Answer) -> None:
        dialect, body = dialect_of(request), asked(request)
        if isinstance(move, Refuse):
            refusal = error_body(dialect, move.type, move.message)
            await answer.reply(move.status, json.dumps(refusal).encode(), _JSON)
        elif body.get("stream"):
            await answer.head(200, _STREAM)
            await answer.send(b"".join(stream_of(move, dialect, body["model"])))
            await answer.finish()
        else:
            assert isinstance(move, Say)
            whole = anthropic_message if dialect == "anthropic" else chat_completion
            await answer.reply(200, json.dumps(whole(move, "", body["model"])).encode(), _JSON)

    return handle


def counts(tokens: int) -> Handler:
    """Answer the question how many tokens a request has."""

    async def handle(_: SeenRequest, answer: Answer) -> None:
        await answer.reply(200, json.dumps({"input_tokens": tokens}).encode(), _JSON)

    return handle


def holds(say: Say, go_on: trio.Event) -> Handler:
    """Answer up to the middle of the text, and with the rest when `go_on` is set; a whole answer only then."""

    async def handle(request: SeenRequest, answer: Answer) -> None:
        body = asked(request)
        if not body.get("stream"):
            await go_on.wait()
            return await says(say)(request, answer)
        parts = stream_of(say, dialect_of(request), body["model"])
        shown = next(number for number, part in enumerate(parts, 1) if say.text[:4].encode() in part)
        await answer.head(200, _STREAM)
        await answer.send(b"".join(parts[:shown]))
        await go_on.wait()
        await answer.send(b"".join(parts[shown:]))
        return await answer.finish()

    return handle


def dialect_of(request: SeenRequest) -> Dialect:
    return "openai-chat" if request.path.endswith("/chat/completions") else "anthropic"


def asked(request: SeenRequest) -> dict[str, Any]:
    body = request.json()
    assert isinstance(body, dict)
    return body


def stream_of(move: Say | BreakOff, dialect: Dialect, model: str) -> list[bytes]:
    """Return the events of a stream, each in its bytes."""
    said = anthropic_events if dialect == "anthropic" else chat_chunks
    if isinstance(move, Say):
        events = said(move, "", model)
    else:
        events = [*said(Say(move.text), "", model)[:3], error_body(dialect, "api_error", ERROR)]
    names = [f"event: {event['type']}\n" if dialect == "anthropic" else "" for event in events]
    parts = [f"{name}data: {json.dumps(event)}\n\n".encode() for name, event in zip(names, events, strict=True)]
    is_complete = isinstance(move, Say) and dialect == "openai-chat"
    return [*parts, b"data: [DONE]\n\n"] if is_complete else parts
