"""Why a chat-completions answer ended."""

from collections.abc import Mapping
from types import MappingProxyType

from ucr.events import StopReason

_REASONS: Mapping[str, StopReason] = MappingProxyType(
    {
        "length": "max_tokens",
        "max_tokens": "max_tokens",
        "model_length": "model_context_window_exceeded",
        "content_filter": "refusal",
        "stop_sequence": "stop_sequence",
    }
)
"""The reasons that say more than "the model was done"; sources: the API references of OpenAI, Mistral and Cohere."""

FAILURES = frozenset({"error", "insufficient_system_resource"})
"""Reasons that are failures: of OpenRouter and Mistral, and of DeepSeek."""


def stop_reason(finish: str | None, *, has_calls: bool, is_refused: bool) -> StopReason:
    """Return the stop reason; calls decide where the provider's word does not say that they were cut off.

    Many providers say `stop` after tool calls, and `tool_calls` without any is possible too; a client acts on
    the calls or waits for them, so that what is there counts.
    """
    known = _REASONS.get((finish or "").lower())
    if known is not None:
        return known
    if has_calls:
        return "tool_use"
    return "refusal" if is_refused else "end_turn"
