"""What a scripted provider says, and its words in the dialects of Anthropic and of OpenAI's chat completions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Dialect = Literal["anthropic", "openai-chat"]
Json = dict[str, Any]

SIGNATURE = "c2NyaXB0ZWQgc2lnbmF0dXJl"
ERROR = "The line to the lighthouse broke."


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call; `{folder}` in an argument becomes the folder that Claude Code works in."""

    id: str
    name: str
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Say:
    """One answer: thinking, text and calls, in this order."""

    text: str = ""
    thinking: str = ""
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Refuse:
    """An HTTP error, in the words of the upstream's dialect."""

    status: int
    type: str
    message: str


@dataclass(frozen=True, slots=True)
class BreakOff:
    """Text, and then an error event in the stream; a request without a stream gets `then`."""

    text: str
    then: Say


Move = Say | Refuse | BreakOff


def error_body(dialect: Dialect, type_: str, message: str) -> Json:
    error: Json = {"type": type_, "message": message}
    return {"type": "error", "error": error} if dialect == "anthropic" else {"error": error}


def anthropic_blocks(say: Say, folder: str) -> list[Json]:
    blocks: list[Json] = []
    if say.thinking:
        blocks.append({"type": "thinking", "thinking": say.thinking, "signature": SIGNATURE})
    if say.text:
        blocks.append({"type": "text", "text": say.text})
    for call in say.calls:
        inputs = {name: value.format(folder=folder) for name, value in call.arguments.items()}
        blocks.append({"type": "tool_use", "id": call.id, "name": call.name, "input": inputs})
    return blocks


def anthropic_message(say: Say, folder: str, model: str) -> Json:
    return {
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": anthropic_blocks(say, folder),
        "stop_reason": "tool_use" if say.calls else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 100, "output_tokens": 20},
    }


def anthropic_events(say: Say, folder: str, model: str) -> list[Json]:
    message = anthropic_message(say, folder, model)
    events: list[Json] = [{"type": "message_start", "message": message | {"content": [], "stop_reason": None}}]
    for index, block in enumerate(message["content"]):
        empty, deltas = anthropic_deltas(block)
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    events.append({"type": "message_delta", "delta": ending, "usage": {"output_tokens": 20}})
    return [*events, {"type": "message_stop"}]


def anthropic_deltas(block: Json) -> tuple[Json, list[Json]]:
    match block["type"]:
        case "thinking":
            signed = {"type": "signature_delta", "signature": block["signature"]}
            return block | {"thinking": "", "signature": ""}, [
                {"type": "thinking_delta", "thinking": block["thinking"]},
                signed,
            ]
        case "text":
            return block | {"text": ""}, [{"type": "text_delta", "text": block["text"]}]
        case _:
            pieces = halves(json.dumps(block["input"]))
            return block | {"input": {}}, [
                {"type": "input_json_delta", "partial_json": piece} for piece in pieces
            ]


def chat_calls(say: Say, folder: str) -> list[Json]:
    calls = []
    for call in say.calls:
        arguments = {name: value.format(folder=folder) for name, value in call.arguments.items()}
        function = {"name": call.name, "arguments": json.dumps(arguments)}
        calls.append({"id": call.id, "type": "function", "function": function})
    return calls


def chat_head(kind: str, model: str) -> Json:
    return {"id": "chatcmpl-scripted", "object": kind, "created": 1, "model": model}


def chat_usage() -> Json:
    return {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


def chat_completion(say: Say, folder: str, model: str) -> Json:
    message: Json = {"role": "assistant", "content": say.text or None}
    if say.thinking:
        message["reasoning_content"] = say.thinking
    if say.calls:
        message["tool_calls"] = chat_calls(say, folder)
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if say.calls else "stop"}
    return chat_head("chat.completion", model) | {"choices": [choice], "usage": chat_usage()}


def chat_chunks(say: Say, folder: str, model: str) -> list[Json]:
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning_content": piece} for piece in halves(say.thinking)]
    deltas += [{"content": piece} for piece in halves(say.text)]
    for index, call in enumerate(chat_calls(say, folder)):
        first, second = halves(call["function"]["arguments"])
        opening = call | {"index": index, "function": call["function"] | {"arguments": first}}
        deltas.append({"tool_calls": [opening]})
        deltas.append({"tool_calls": [{"index": index, "function": {"arguments": second}}]})
    head = chat_head("chat.completion.chunk", model)
    chunks = [head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    reason = "tool_calls" if say.calls else "stop"
    chunks.append(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    return [*chunks, head | {"choices": [], "usage": chat_usage()}]


def halves(text: str) -> tuple[str, ...]:
    middle = len(text) // 2
    return (text[:middle], text[middle:]) if text else ()
