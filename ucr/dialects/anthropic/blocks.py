"""Content blocks of the Messages API as canonical blocks."""

from collections.abc import Mapping

from ucr import jsontext
from ucr.events import Block, Opaque, RedactedThinking, StopReason, Text, Thinking, ToolUse
from ucr.jsontext import JsonObject

STOP_REASONS: frozenset[StopReason] = frozenset(
    {
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "tool_use",
        "pause_turn",
        "refusal",
        "model_context_window_exceeded",
        "compaction",
    }
)


def read(value: object, names: Mapping[str, str]) -> Block | None:
    """Read one block; None for what is no block at all. Unknown kinds are kept whole, not understood."""
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        return None
    match value["type"]:
        case "text":
            return Text(_text(value, "text"), _citations(value))
        case "thinking":
            return Thinking(_text(value, "thinking"), _text(value, "signature"))
        case "redacted_thinking":
            return RedactedThinking(_text(value, "data"))
        case "tool_use":
            name = _text(value, "name")
            return ToolUse(_text(value, "id"), names.get(name, name), _input(value))
        case _:
            return Opaque(value)


def stop_reason(value: object, has_calls: bool) -> StopReason:
    """Read why an answer ended; a reason nobody knows yet is the plain one that fits the answer."""
    for known in STOP_REASONS:
        if value == known:
            return known
    return "tool_use" if has_calls else "end_turn"


def _text(value: JsonObject, key: str) -> str:
    text = value.get(key)
    return text if isinstance(text, str) else ""


def _citations(value: JsonObject) -> tuple[JsonObject, ...]:
    citations = value.get("citations")
    return tuple(c for c in citations if isinstance(c, dict)) if isinstance(citations, list) else ()


def _input(value: JsonObject) -> str:
    given = value.get("input")
    return jsontext.dumps(given).decode() if isinstance(given, dict) else "{}"
