"""A whole answer as a `chat.completion` object, and the words that it shares with a stream."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ucr import jsontext
from ucr.dialects.openai_chat import client_layout
from ucr.dialects.openai_chat.client_layout import Entry
from ucr.events import Block, Opaque, RedactedThinking, Reply, StopReason, Text, Thinking, ToolUse, Usage
from ucr.jsontext import JsonObject

FINISH_REASONS: Mapping[StopReason, str] = MappingProxyType(
    {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "pause_turn": "stop",
        "compaction": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "tool_use": "tool_calls",
        "refusal": "content_filter",
    }
)
REFUSAL_WORDS = "The model declined to answer."


def encode(reply: Reply, model: str, created: int) -> bytes:
    """Write an answer; `model` is the name that the client asked for."""
    choice = {
        "index": 0,
        "message": _message(reply),
        "logprobs": None,
        "finish_reason": finish_reason(reply.stop_reason, any(isinstance(b, ToolUse) for b in reply.content)),
    }
    counted = usage(reply.usage)
    return jsontext.dumps(
        {
            "id": completion_id(reply.id),
            "object": "chat.completion",
            "created": created,
            "model": model,
            "choices": [choice],
            **({} if counted is None else {"usage": counted}),
        }
    )


def completion_id(message_id: str) -> str:
    """Return the id of a completion for a canonical message's id."""
    return message_id if message_id.startswith("chatcmpl-") else f"chatcmpl-{message_id.removeprefix('msg_')}"


def finish_reason(stop_reason: StopReason, has_calls: bool) -> str:
    """Return why the model stopped, in one of the four words that clients know.

    A stop for tools without any call (they ran at the provider) is an ordinary stop: a client would wait for
    calls that never come. So is a reason that a provider invents: clients loop on a word that they do not know.
    """
    if stop_reason == "tool_use" and not has_calls:
        return "stop"
    return FINISH_REASONS.get(stop_reason, "stop")


def refusal(stop_reason: StopReason, details: Mapping[str, Any] | None) -> str | None:
    """Return the words of a refusal, the provider's own where it gave some; None when there was no refusal."""
    if stop_reason != "refusal":
        return None
    explanation = (details or {}).get("explanation")
    return explanation if isinstance(explanation, str) and explanation else REFUSAL_WORDS


def usage(counted: Usage) -> JsonObject | None:
    """Return the counters as OpenAI counts: the prompt with what came from a cache or went into one.

    None when nothing is known; a counter that the shape demands and nobody knows is 0.
    """
    prompt = (counted.input_tokens, counted.cache_read_tokens, counted.cache_creation_tokens)
    if counted.output_tokens is None and all(part is None for part in prompt):
        return None
    prompt_tokens = sum(part or 0 for part in prompt)
    completion_tokens = counted.output_tokens or 0
    made: JsonObject = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }
    details = _known(cached_tokens=counted.cache_read_tokens, cache_write_tokens=counted.cache_creation_tokens)
    if details:
        made["prompt_tokens_details"] = details
    if counted.thinking_tokens is not None:
        made["completion_tokens_details"] = {"reasoning_tokens": counted.thinking_tokens}
    return made


def _known(**counters: int | None) -> JsonObject:
    return {name: value for name, value in counters.items() if value is not None}


def tool_call(use: ToolUse) -> JsonObject:
    """Return a whole call; its arguments are the text that the provider sent, so that no number changes."""
    return {
        "id": use.id,
        "type": "function",
        "function": {"name": use.name, "arguments": use.input_json or "{}"},
    }


def _message(reply: Reply) -> JsonObject:
    text = "".join(block.text for block in reply.content if isinstance(block, Text))
    calls = [tool_call(block) for block in reply.content if isinstance(block, ToolUse)]
    refused = refusal(reply.stop_reason, reply.stop_details)
    content = text or (None if calls or refused else "")
    return {
        "role": "assistant",
        "content": content,
        "refusal": refused,
        **_reasoning(reply),
        **({"tool_calls": calls} if calls else {}),
    }


def _reasoning(reply: Reply) -> JsonObject:
    thought = "".join(block.thinking for block in reply.content if isinstance(block, Thinking))
    packed = client_layout.pack([entry for block in reply.content if (entry := _entry(block)) is not None])
    made: JsonObject = {"reasoning_content": thought} if thought else {}
    return made if packed is None else {**made, client_layout.FIELD: packed}


def _entry(block: Block) -> Entry | None:
    match block:
        case Text(text):
            return "text", len(text)
        case Thinking(thinking, signature):
            return "thinking", len(thinking), signature
        case RedactedThinking(data):
            return "redacted", data
        case ToolUse():
            return ("call",)
        case Opaque():
            return None
