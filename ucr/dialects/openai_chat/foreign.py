"""Thinking of other providers in messages that pass from a client of chat completions to a provider of the same.

A client sends back whole messages, whoever wrote them. What bears the router's seal, and the reasoning fields of
another family of providers, are nothing to this one, and are left out. Everything else passes.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ucr.catalogue import Quirks
from ucr.dialects import envelope
from ucr.dialects.openai_chat.client_layout import FIELD

_OTHERS: Mapping[str, str] = MappingProxyType(
    {"reasoning_content": "reasoning_details", "reasoning_details": "reasoning_content"}
)
"""By the field in which a provider wants its reasoning back: the field of the others."""


def without_foreign(raw: bytes, messages: Any, quirks: Quirks) -> list[Any] | None:
    """Return messages without the thinking of other providers; None where there is none."""
    other = _OTHERS.get(quirks.reasoning_history)
    has_foreign = FIELD.encode() in raw or (other is not None and other.encode() in raw)
    if not has_foreign or not isinstance(messages, list):
        return None
    made = [_cleaned(message, other, quirks) for message in messages]
    return None if all(new is old for new, old in zip(made, messages, strict=True)) else made


def _cleaned(message: Any, other: str | None, quirks: Quirks) -> Any:
    if not isinstance(message, dict):
        return message
    if envelope.is_ours(message.get(FIELD)):
        left_out = (FIELD, "reasoning_content")
    elif other is not None and other in message:
        left_out = (other, "reasoning")
    else:
        return message
    return {key: value for key, value in message.items() if key not in left_out}


def with_required(messages: Any, quirks: Quirks) -> list[Any] | None:
    """Return messages in which every turn of calls has the field that the provider wants, if only an empty one.

    None where nothing is missing.
    """
    if not quirks.reasoning_required or not isinstance(messages, list):
        return None
    made = [
        {**message, "reasoning_content": ""} if _lacks_required(message) else message for message in messages
    ]
    return None if all(new is old for new, old in zip(made, messages, strict=True)) else made


def _lacks_required(message: Any) -> bool:
    return isinstance(message, dict) and bool(message.get("tool_calls")) and "reasoning_content" not in message
