"""Puts states back into the messages of a chat that passes to a provider of chat completions. Pure.

What such a provider wants back stands in fields of the assistant's message and of its calls, and is written there
as the translation writes it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ucr.catalogue import Quirks
from ucr.dialects import tool_ids
from ucr.dialects.openai_chat.past_thoughts import Thoughts, recall
from ucr.jsontext import JsonObject
from ucr.vault.state import State

_FIELDS = frozenset({"reasoning_content", "reasoning_details"})


def wants_state(quirks: Quirks) -> bool:
    """True for a provider of chat completions that wants anything back."""
    return quirks.reasoning_history != "drop" or quirks.thought_signatures


def calls_without_state(messages: Any, quirks: Quirks) -> list[str]:
    """Return the ids of the calls, as the translation knows them, of messages that lack what was given with them."""
    if not isinstance(messages, list):
        return []
    return [_id(call) for message in messages if _is_lacking(message, quirks) for call in _calls(message)]


def with_states(
    messages: Sequence[Any], states: Mapping[str, State], provider: str, quirks: Quirks
) -> list[Any]:
    """Return the messages with these states, by the ids of calls, in the provider's own fields."""
    return [
        _restored(message, states, provider, quirks) if _is_lacking(message, quirks) else message
        for message in messages
    ]


def _is_lacking(message: Any, quirks: Quirks) -> bool:
    calls = _calls(message)
    if not calls:
        return False
    history = quirks.reasoning_history
    if history in _FIELDS and not message.get(history):
        return True
    if history == "thinking_chunks" and not isinstance(message.get("content"), list):
        return True
    return quirks.thought_signatures and not any(call.get("extra_content") for call in calls)


def _calls(message: Any) -> list[JsonObject]:
    if not isinstance(message, dict) or message.get("role") != "assistant":
        return []
    calls = message.get("tool_calls")
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def _id(call: JsonObject) -> str:
    return tool_ids.to_client(str(call.get("id")))


def _restored(message: JsonObject, states: Mapping[str, State], provider: str, quirks: Quirks) -> JsonObject:
    found = [states[_id(call)] for call in _calls(message) if _id(call) in states]
    thoughts = recall([block for state in found for block in state.blocks], provider)
    made = {**message, **_fields(message, thoughts, quirks.reasoning_history)}
    if thoughts.extras:
        made["tool_calls"] = [_signed(call, thoughts) for call in message["tool_calls"]]
    return made


def _fields(message: JsonObject, thoughts: Thoughts, history: str) -> JsonObject:
    if history == "reasoning_content" and thoughts.text:
        return {"reasoning_content": thoughts.text}
    if history == "reasoning_details" and thoughts.details:
        return {"reasoning_details": list(thoughts.details)}
    if history == "thinking_chunks" and thoughts.chunks:
        said = message.get("content")
        return {"content": [*thoughts.chunks, *([{"type": "text", "text": said}] if said else [])]}
    return {}


def _signed(call: Any, thoughts: Thoughts) -> Any:
    extra = thoughts.extras.get(_id(call)) if isinstance(call, dict) else None
    return call if extra is None or "extra_content" in call else {**call, "extra_content": extra}
