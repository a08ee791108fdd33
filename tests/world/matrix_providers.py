"""How a provider of each dialect answers."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.world import answers
from tests.world.bedrock import CLAUDE
from tests.world.bedrock import event as bedrock_event
from tests.world.bedrock import exception as bedrock_exception
from tests.world.cohere import START as COHERE_START
from tests.world.cohere import event as cohere_event
from tests.world.matrix_seen import (
    Seen,
    anthropic_seen,
    bedrock_seen,
    chat_seen,
    gemini_seen,
    ollama_seen,
    responses_seen,
)
from tests.world.ollama import end, line
from tests.world.responses import event as responses_event
from ucr.catalogue import row
from ucr.dialects.bedrock.frames import MEDIA_TYPE
from ucr.quirks import Quirks
from ucr.stress.failing.moves import (
    SIGNATURE,
    Say,
    anthropic_events,
    anthropic_message,
    chat_chunks,
    chat_completion,
    error_body,
    halves,
)

Json = dict[str, Any]
Exchanged = tuple[tuple[bytes, bytes], ...]
THOUGHT = "I see two cities."
TOKENS = (100, 20)
"""What every scripted answer says that it cost: input and output."""


@dataclass(frozen=True, slots=True)
class Script:
    """What a provider says: a whole answer, the events of a stream, the body of an error; and what it reads.

    `failed` is the event that ends a stream in its middle, after the first `shown` events.
    """

    whole: Callable[[Say, str], Json]
    events: Callable[[Say, str], list[Json]]
    error: Callable[[str], Json]
    failed: Callable[[str], Json]
    seen: Callable[[Json], Seen]
    model: str
    seeing: str = ""
    """The model that is asked about pictures, where the other one has no eyes."""
    cut: Exchanged = ()
    """What stands otherwise, in a whole answer and in a stream, when the output limit has cut the answer short."""
    shown: int = 3
    is_named: bool = True
    media: str = "text/event-stream"
    """The media type of its streams: server-sent events, Amazon's event stream, or lines of JSON."""
    ending: bytes = b""
    quirks: Quirks = field(default_factory=Quirks)
    state: str = SIGNATURE
    """What must come back in the next turn of a session that thinks; empty where the dialect has no such thing."""

    def stream(self, say: Say, model: str, *exchanged: tuple[bytes, bytes]) -> list[bytes]:
        events = json.dumps(self.events(say, model))
        for old, new in exchanged:
            events = events.replace(old.decode(), new.decode())
        return [*self._framed(json.loads(events)), *([self.ending] if self.ending else [])]

    def broken(self, say: Say, model: str, words: str) -> list[bytes]:
        return self._framed([*self.events(say, model)[: self.shown], self.failed(words)])

    def _framed(self, events: Iterable[Json]) -> list[bytes]:
        if self.media == MEDIA_TYPE:
            return [bedrock_frame(kind, value) for one in events for kind, value in one.items()]
        if self.media != "text/event-stream":
            return [json.dumps(one).encode() + b"\n" for one in events]
        return [
            (f"event: {one['type']}\n" if self.is_named else "").encode()
            + f"data: {json.dumps(one)}\n\n".encode()
            for one in events
        ]


def quirks_of(provider: str) -> Quirks:
    """Return what the catalogue says of a provider."""
    known = row(provider)
    assert known is not None
    return known.quirks


def _responses_items(say: Say) -> list[Json]:
    items: list[Json] = []
    if say.thinking:
        summary = [{"type": "summary_text", "text": say.thinking}]
        items.append({"type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": SIGNATURE})
    if say.text:
        part = {"type": "output_text", "text": say.text, "annotations": [], "logprobs": []}
        message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
        items.append({**message, "content": [part]})
    for call in say.calls:
        fields = {"call_id": call.id, "name": call.name, "arguments": json.dumps(call.arguments)}
        items.append({"type": "function_call", "id": f"fc_{call.id}", "status": "completed", **fields})
    return items


def _responses_whole(say: Say, model: str) -> Json:
    reply = answers.responses_reply(model=model)
    usage = {"input_tokens": TOKENS[0], "output_tokens": TOKENS[1], "total_tokens": sum(TOKENS)}
    return {**reply, "output": _responses_items(say), "usage": usage}


def _responses_events(say: Say, model: str) -> list[Json]:
    whole = _responses_whole(say, model)
    events = [responses_event("created", response={**whole, "status": "in_progress", "output": []})]
    for index, item in enumerate(whole["output"]):
        place = {"output_index": index, "item_id": item["id"]}
        match item["type"]:
            case "reasoning":
                empty = {**item, "summary": []}
                deltas = [("reasoning_summary_text", {"summary_index": 0}, say.thinking)]
            case "message":
                empty = {**item, "content": []}
                deltas = [("output_text", {"content_index": 0}, say.text)]
            case _:
                empty = {**item, "arguments": ""}
                deltas = [("function_call_arguments", {}, item["arguments"])]
        events.append(responses_event("output_item.added", output_index=index, item=empty))
        for kind, more, text in deltas:
            events += [responses_event(f"{kind}.delta", **place, **more, delta=piece) for piece in halves(text)]
        events.append(responses_event("output_item.done", output_index=index, item=item))
    return [*events, responses_event("completed", response=whole)]


def _gemini_parts(say: Say) -> list[Json]:
    parts: list[Json] = [{"text": say.thinking, "thought": True}] if say.thinking else []
    parts += [{"text": say.text}] if say.text else []
    calls: list[Json] = [
        {"functionCall": {"id": call.id, "name": call.name, "args": dict(call.arguments)}} for call in say.calls
    ]
    if say.thinking and calls:
        calls[0]["thoughtSignature"] = SIGNATURE
    return [*parts, *calls]


def _gemini_chunk(model: str, *parts: Json, finish: str | None = None) -> Json:
    usage = {"promptTokenCount": TOKENS[0], "candidatesTokenCount": TOKENS[1], "totalTokenCount": sum(TOKENS)}
    ended = {} if finish is None else {"usageMetadata": usage}
    return answers.gemini_chunk(*parts, finish=finish, **ended) | {"modelVersion": model}


def _gemini_whole(say: Say, model: str) -> Json:
    return _gemini_chunk(model, *_gemini_parts(say), finish="STOP")


def _gemini_events(say: Say, model: str) -> list[Json]:
    chunks = []
    for part in _gemini_parts(say):
        pieces = [{**part, "text": piece} for piece in halves(part["text"])] if "text" in part else [part]
        chunks += [_gemini_chunk(model, piece) for piece in pieces]
    return [*chunks, _gemini_chunk(model, {"text": ""}, finish="STOP")]


def _gemini_error(code: int, status: str) -> Callable[[str], Json]:
    return lambda words: {"error": {"code": code, "message": words, "status": status}}


def _cohere_calls(say: Say) -> list[Json]:
    return [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
        }
        for call in say.calls
    ]


def _cohere_ending(say: Say) -> Json:
    tokens = {"input_tokens": TOKENS[0], "output_tokens": TOKENS[1]}
    return {"finish_reason": "TOOL_CALL" if say.calls else "COMPLETE", "usage": {"tokens": tokens}}


def _cohere_whole(say: Say, model: str) -> Json:
    content = [{"type": "thinking", "thinking": say.thinking}] if say.thinking else []
    content += [{"type": "text", "text": say.text}] if say.text else []
    message = {"role": "assistant", "content": content, "tool_calls": _cohere_calls(say)}
    return {"id": "c1", "message": message, **_cohere_ending(say)}


def _cohere_events(say: Say, model: str) -> list[Json]:
    events = [COHERE_START]
    for index, (kind, text) in enumerate((("thinking", say.thinking), ("text", say.text))):
        if text:
            events.append(cohere_event("content-start", index, content={"type": kind, kind: ""}))
            events += [cohere_event("content-delta", index, content={kind: piece}) for piece in halves(text)]
            events.append({"type": "content-end", "index": index})
    for index, call in enumerate(_cohere_calls(say)):
        first, second = halves(call["function"]["arguments"])
        opening = {**call, "function": {**call["function"], "arguments": first}}
        events.append(cohere_event("tool-call-start", index, tool_calls=opening))
        events.append(cohere_event("tool-call-delta", index, tool_calls={"function": {"arguments": second}}))
        events.append({"type": "tool-call-end", "index": index})
    return [*events, {"type": "message-end", "delta": _cohere_ending(say)}]


def _cohere_failed(words: str) -> Json:
    return {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": words}}


def _ollama_line(model: str, **message: Any) -> Json:
    return line(**message) | {"model": model}


def _ollama_calls(say: Say) -> list[Json]:
    return [
        {"id": call.id, "function": {"index": index, "name": call.name, "arguments": dict(call.arguments)}}
        for index, call in enumerate(say.calls)
    ]


def _ollama_whole(say: Say, model: str) -> Json:
    message: Json = {"role": "assistant", "content": say.text}
    message |= {"thinking": say.thinking} if say.thinking else {}
    message |= {"tool_calls": _ollama_calls(say)} if say.calls else {}
    counts = {"prompt_eval_count": TOKENS[0], "eval_count": TOKENS[1]}
    return end(**counts) | {"model": model, "message": message}


def _ollama_events(say: Say, model: str) -> list[Json]:
    lines = [_ollama_line(model, thinking=piece) for piece in halves(say.thinking)]
    lines += [_ollama_line(model, content=piece) for piece in halves(say.text)]
    lines += [_ollama_line(model, tool_calls=[call]) for call in _ollama_calls(say)]
    return [*lines, _ollama_whole(Say(), model)]


def bedrock_frame(kind: str, value: Json) -> bytes:
    return (
        bedrock_exception(kind, value["message"]) if kind.endswith("Exception") else bedrock_event(kind, value)
    )


def _bedrock_usage() -> Json:
    return {"inputTokens": TOKENS[0], "outputTokens": TOKENS[1], "totalTokens": sum(TOKENS)}


def _bedrock_reason(say: Say) -> str:
    return "tool_use" if say.calls else "end_turn"


def _bedrock_whole(say: Say, model: str) -> Json:
    reasoning = {"reasoningText": {"text": say.thinking, "signature": SIGNATURE}}
    content: list[Json] = [{"reasoningContent": reasoning}] if say.thinking else []
    content += [{"text": say.text}] if say.text else []
    content += [
        {"toolUse": {"toolUseId": call.id, "name": call.name, "input": dict(call.arguments)}}
        for call in say.calls
    ]
    output = {"message": {"role": "assistant", "content": content}}
    return {"output": output, "stopReason": _bedrock_reason(say), "usage": _bedrock_usage()}


def _bedrock_events(say: Say, model: str) -> list[Json]:
    events: list[Json] = [{"messageStart": {"role": "assistant"}}]
    blocks: list[tuple[Json, list[Json]]] = []
    if say.thinking:
        deltas = [{"reasoningContent": {"text": piece}} for piece in halves(say.thinking)]
        blocks.append(({}, [*deltas, {"reasoningContent": {"signature": SIGNATURE}}]))
    if say.text:
        blocks.append(({}, [{"text": piece} for piece in halves(say.text)]))
    for call in say.calls:
        pieces = halves(json.dumps(call.arguments))
        start = {"toolUse": {"toolUseId": call.id, "name": call.name}}
        blocks.append((start, [{"toolUse": {"input": piece}} for piece in pieces]))
    for index, (start, deltas) in enumerate(blocks):
        place = {"contentBlockIndex": index}
        events += [{"contentBlockStart": {**place, "start": start}}] if start else []
        events += [{"contentBlockDelta": {**place, "delta": delta}} for delta in deltas]
        events.append({"contentBlockStop": place})
    return [
        *events,
        {"messageStop": {"stopReason": _bedrock_reason(say)}},
        {"metadata": {"usage": _bedrock_usage()}},
    ]


SCRIPTS: Mapping[str, Script] = {
    "anthropic": Script(
        lambda say, model: anthropic_message(say, "", model),
        lambda say, model: anthropic_events(say, "", model),
        lambda words: error_body("anthropic", "invalid_request_error", words),
        lambda words: error_body("anthropic", "api_error", words),
        anthropic_seen,
        "claude-sonnet-4-5",
        cut=((b"end_turn", b"max_tokens"),),
        quirks=quirks_of("anthropic"),
    ),
    "openai-chat": Script(
        lambda say, model: chat_completion(say, "", model),
        lambda say, model: chat_chunks(say, "", model),
        lambda words: error_body("openai-chat", "invalid_request_error", words),
        lambda words: error_body("openai-chat", "server_error", words),
        chat_seen,
        "some-model",
        cut=((b'"finish_reason": "stop"', b'"finish_reason": "length"'),),
        is_named=False,
        ending=b"data: [DONE]\n\n",
        quirks=Quirks(reasoning_history="reasoning_content"),
        state=THOUGHT,
    ),
    "openai-responses": Script(
        _responses_whole,
        _responses_events,
        lambda words: error_body("openai-chat", "invalid_request_error", words),
        lambda words: {"type": "error", "code": "server_error", "message": words, "param": None},
        responses_seen,
        "gpt-5.2",
        cut=(
            (b"response.completed", b"response.incomplete"),
            (
                b'"status": "completed", "output"',
                b'"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output"',
            ),
        ),
        quirks=quirks_of("openai"),
    ),
    "gemini": Script(
        _gemini_whole,
        _gemini_events,
        _gemini_error(400, "INVALID_ARGUMENT"),
        _gemini_error(500, "INTERNAL"),
        gemini_seen,
        "gemini-3-flash",
        cut=((b'"STOP"', b'"MAX_TOKENS"'),),
        quirks=quirks_of("google"),
        shown=1,
        is_named=False,
    ),
    "bedrock": Script(
        _bedrock_whole,
        _bedrock_events,
        lambda words: {"message": words},
        lambda words: {"internalServerException": {"message": words}},
        bedrock_seen,
        CLAUDE,
        cut=((b"end_turn", b"max_tokens"),),
        media=MEDIA_TYPE,
        quirks=quirks_of("bedrock"),
    ),
    "cohere": Script(
        _cohere_whole,
        _cohere_events,
        lambda words: {"id": "e1", "message": words},
        _cohere_failed,
        chat_seen,
        "command-a-reasoning-08-2025",
        cut=((b'"COMPLETE"', b'"MAX_TOKENS"'),),
        seeing="command-a-vision-07-2025",
        quirks=quirks_of("cohere"),
        state="",
    ),
    "ollama": Script(
        _ollama_whole,
        _ollama_events,
        lambda words: {"error": words},
        lambda words: {"error": words},
        ollama_seen,
        "qwen3",
        cut=((b'"done_reason": "stop"', b'"done_reason": "length"'),),
        shown=1,
        media="application/x-ndjson",
        quirks=quirks_of("ollama"),
        state=THOUGHT,
    ),
}
"""The providers of the matrix, by their dialect."""
