"""Handlers of scripted upstreams: the answers that providers give, in every dialect."""

import json
from collections.abc import Iterable
from typing import Any

import trio

from ucr.stress.upstream import Answer, Handler, SeenRequest

SSE = (("content-type", "text/event-stream"),)
JSON = (("content-type", "application/json"),)


def chat_chunk(delta: dict[str, Any], finish: str | None = None, **extra: Any) -> bytes:
    """Return one chunk of a chat-completions stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return (
        b"data: "
        + json.dumps(
            {"id": "c1", "object": "chat.completion.chunk", "model": "up", "choices": [choice], **extra}
        ).encode()
        + b"\n\n"
    )


def chat_text(*pieces: str) -> list[bytes]:
    """Return a whole chat-completions stream of text."""
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    last = b"data: " + json.dumps({"id": "c1", "model": "up", "choices": [], "usage": usage}).encode() + b"\n\n"
    return [
        *(chat_chunk({"content": piece}) for piece in pieces),
        chat_chunk({}, "stop"),
        last,
        b"data: [DONE]\n\n",
    ]


def anthropic_event(type_: str, **fields: Any) -> bytes:
    """Return one event of an Anthropic stream."""
    return f"event: {type_}\ndata: {json.dumps({'type': type_, **fields})}\n\n".encode()


def anthropic_text(*pieces: str, model: str = "up") -> list[bytes]:
    """Return a whole Anthropic stream of text."""
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": []}
    message |= {"stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 11, "output_tokens": 1}}
    start = {"type": "text", "text": ""}
    return [
        anthropic_event("message_start", message=message),
        anthropic_event("content_block_start", index=0, content_block=start),
        *(
            anthropic_event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
            for piece in pieces
        ),
        anthropic_event("content_block_stop", index=0),
        anthropic_event(
            "message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None},
            usage={"output_tokens": 7},
        ),
        anthropic_event("message_stop"),
    ]


def responses_event(type_: str, **fields: Any) -> bytes:
    """Return one event of a Responses stream."""
    return f"event: {type_}\ndata: {json.dumps({'type': type_, **fields})}\n\n".encode()


def responses_text(*pieces: str, model: str = "up") -> list[bytes]:
    """Return a whole Responses stream of text."""
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    begun = {"id": "resp_1", "object": "response", "model": model, "status": "in_progress", "output": []}
    where = {"output_index": 0, "item_id": "msg_1", "content_index": 0}
    item = {**message, "content": [{"type": "output_text", "text": "".join(pieces), "annotations": []}]}
    return [
        responses_event("response.created", response=begun),
        responses_event("response.output_item.added", output_index=0, item={**message, "content": []}),
        *(responses_event("response.output_text.delta", **where, delta=piece) for piece in pieces),
        responses_event("response.output_item.done", output_index=0, item=item),
        responses_event("response.completed", response=responses_reply("".join(pieces), model=model)),
    ]


def responses_reply(text: str = "hello", *, model: str = "up") -> dict[str, Any]:
    """Return a whole response."""
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
    usage = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}
    return {
        "id": "resp_1",
        "object": "response",
        "model": model,
        "status": "completed",
        "output": [message],
        "usage": usage,
    }


def streams(pieces: Iterable[bytes], *, pause_s: float = 0.0, first_s: float = 0.0) -> Handler:
    """Answer with a stream; `first_s` passes before the first piece and `pause_s` before each other."""
    chunks = tuple(pieces)

    async def handler(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, SSE)
        for position, chunk in enumerate(chunks):
            await trio.sleep(first_s if position == 0 else pause_s)
            await answer.send(chunk)
        await answer.finish()

    return handler


def cut_off(pieces: Iterable[bytes]) -> Handler:
    """Answer with a stream whose connection breaks after these pieces."""
    chunks = tuple(pieces)

    async def handler(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, SSE)
        for chunk in chunks:
            await answer.send(chunk)
        await answer.reset()

    return handler


def says(status: int, body: object, headers: tuple[tuple[str, str], ...] = JSON) -> Handler:
    """Answer with a whole JSON body."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def handler(request: SeenRequest, answer: Answer) -> None:
        await answer.reply(status, data, headers)

    return handler


def late(seconds: float, status: int = 200) -> Handler:
    """Answer with a whole chat completion, or an error, after a while."""

    async def handler(request: SeenRequest, answer: Answer) -> None:
        await trio.sleep(seconds)
        await says(status, chat_reply())(request, answer)

    return handler


def never() -> Handler:
    """Take the request and say nothing."""

    async def handler(request: SeenRequest, answer: Answer) -> None:
        await trio.sleep_forever()

    return handler


def chat_reply(content: str | None = "hello", **message: Any) -> dict[str, Any]:
    """Return a whole chat completion."""
    return {
        "id": "c1",
        "object": "chat.completion",
        "model": "up",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, **message},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    }


def anthropic_reply(text: str = "hello") -> dict[str, Any]:
    """Return a whole Anthropic message."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "up",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 7},
    }


def gemini_chunk(*parts: Any, finish: str | None = None, **extra: Any) -> dict[str, Any]:
    """Return one chunk of a Gemini stream, or a whole answer."""
    candidate = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    ended = candidate if finish is None else {**candidate, "finishReason": finish}
    return {"candidates": [ended], "modelVersion": "up", "responseId": "r1", **extra}


def gemini_reply(text: str = "hello") -> dict[str, Any]:
    """Return a whole Gemini answer."""
    usage = {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18}
    return gemini_chunk({"text": text}, finish="STOP", usageMetadata=usage)


def gemini_text(*pieces: str) -> list[bytes]:
    """Return a whole Gemini stream of text."""
    chunks = [*(gemini_chunk({"text": piece}) for piece in pieces), gemini_reply("")]
    return [b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in chunks]
