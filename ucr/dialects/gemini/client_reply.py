"""A whole answer as a `GenerateContentResponse`, and the words that it shares with a stream."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ucr import jsontext
from ucr.dialects.gemini import client_thoughts
from ucr.dialects.gemini.client_thoughts import Entry
from ucr.events import Block, RedactedThinking, Reply, StopReason, Text, Thinking, ToolUse, Usage
from ucr.jsontext import JsonObject, RawJson

FINISH_REASONS: Mapping[StopReason, str] = MappingProxyType(
    {
        "max_tokens": "MAX_TOKENS",
        "model_context_window_exceeded": "MAX_TOKENS",
        "refusal": "SAFETY",
    }
)
"""All other reasons are `STOP`, tool calls included."""


def encode(reply: Reply, model: str, *, shows_thoughts: bool) -> bytes:
    """Write an answer; `model` is the name that the client asked for."""
    thoughts = Thoughts()
    parts: list[JsonObject] = []
    for block in reply.content:
        thoughts.note(block)
        part = part_of(block, thoughts, shows_thoughts=shows_thoughts)
        parts += [] if part is None else [part]
    return jsontext.dumps(
        {
            "candidates": [candidate(parts, reply.stop_reason, reply.stop_details)],
            **usage_field(reply.usage),
            "modelVersion": model,
            "responseId": response_id(reply.id),
        }
    )


class Thoughts:
    """The thinking that waits for the call whose signature it becomes."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._follows_text = False

    def note(self, block: Block) -> None:
        """Take a block that is whole."""
        match block:
            case Thinking(thinking, signature) if signature:
                self._entries.append(("thinking", thinking, signature, self._follows_text))
            case RedactedThinking(data):
                self._entries.append(("redacted", data, "", self._follows_text))
            case Text(text) if text:
                self._follows_text = True

    def take(self) -> str | None:
        """Return the signature of the next call, None when no thinking leads to it."""
        entries, self._entries, self._follows_text = self._entries, [], False
        return client_thoughts.pack(entries) if entries else None


def part_of(block: Block, thoughts: Thoughts, *, shows_thoughts: bool) -> JsonObject | None:
    """Return a whole block as a part; None for one that the dialect has no word for."""
    match block:
        case Text(text) if text:
            return {"text": text}
        case Thinking(thinking) if thinking and shows_thoughts:
            return {"text": thinking, "thought": True}
        case ToolUse():
            return call_part(block, thoughts)
        case _:
            return None


def call_part(use: ToolUse, thoughts: Thoughts) -> JsonObject:
    """Return a call; every number in its arguments stays as it was."""
    call = {"id": use.id, "name": use.name, "args": RawJson(jsontext.object_text(use.input_json))}
    signature = thoughts.take()
    return (
        {"functionCall": call} if signature is None else {"functionCall": call, "thoughtSignature": signature}
    )


def candidate(
    parts: list[JsonObject], reason: StopReason | None = None, details: Mapping[str, Any] | None = None
) -> JsonObject:
    """Return the only candidate, with why it ended if it has."""
    made: JsonObject = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if reason is None:
        return made
    made["finishReason"] = FINISH_REASONS.get(reason, "STOP")
    explanation = (details or {}).get("explanation")
    return {**made, "finishMessage": explanation} if isinstance(explanation, str) and explanation else made


def response_id(message_id: str) -> str:
    return message_id.removeprefix("msg_")


def usage_field(counted: Usage) -> JsonObject:
    """Return the counters as Google counts: the prompt with what came from a cache, the answer without thinking."""
    prompt = (counted.input_tokens, counted.cache_read_tokens, counted.cache_creation_tokens)
    output, thought = counted.output_tokens, counted.thinking_tokens or 0
    if output is None and all(part is None for part in prompt):
        return {}
    prompt_tokens = sum(part or 0 for part in prompt)
    made = {"promptTokenCount": prompt_tokens, "totalTokenCount": prompt_tokens + (output or 0)}
    if output is not None:
        made["candidatesTokenCount"] = max(0, output - thought)
    if counted.cache_read_tokens is not None:
        made["cachedContentTokenCount"] = counted.cache_read_tokens
    if counted.thinking_tokens is not None:
        made["thoughtsTokenCount"] = thought
    return {"usageMetadata": made}
