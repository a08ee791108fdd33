"""Puts states back into the turns of a canonical request that a client sent without them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ucr.dialects import envelope
from ucr.jsontext import JsonObject
from ucr.vault.state import State


def calls_without_state(messages: Any, provider: str) -> list[str]:
    """Return the ids of the calls of those assistant's turns that hold nothing of this provider's thinking."""
    if not isinstance(messages, list):
        return []
    return [
        block["id"]
        for message in messages
        for block in _lacking(message, provider)
        if block.get("type") == "tool_use" and isinstance(block.get("id"), str)
    ]


def with_states(messages: Sequence[Any], states: Mapping[str, State], provider: str) -> list[Any]:
    """Return the messages with these states, by the ids of calls, put where the thinking stood."""
    return [_restored(message, states) if _lacking(message, provider) else message for message in messages]


def _lacking(message: Any, provider: str) -> Sequence[JsonObject]:
    """Return the blocks of an assistant's turn with calls and without this provider's state, else nothing."""
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, list) or message.get("role") != "assistant":
        return ()
    blocks = [block for block in content if isinstance(block, dict)]
    return () if any(_is_state(block, provider) for block in blocks) else blocks


def _is_state(block: JsonObject, provider: str) -> bool:
    """True for thinking with a signature of this provider, or of one whose signatures need no envelope."""
    kind, signature = block.get("type"), block.get("signature")
    if kind == "redacted_thinking":
        return True
    if kind != "thinking" or not signature:
        return False
    sealed = envelope.unseal(signature)
    return sealed.provider == provider if sealed is not None else not envelope.is_ours(signature)


def _restored(message: JsonObject, states: Mapping[str, State]) -> JsonObject:
    content: list[Any] = []
    front: list[JsonObject] = []
    for block in message["content"]:
        state = states.get(block["id"]) if isinstance(block, dict) and block.get("type") == "tool_use" else None
        if state is not None:
            content += _before(state, front, is_first=not _has_call(content))
        content.append(block)
    return (
        {**message, "content": [*front, *content]}
        if front or len(content) > len(message["content"])
        else message
    )


def _before(state: State, front: list[JsonObject], *, is_first: bool) -> list[JsonObject]:
    """Return what stands right before a call; what stood before any text goes to the front of the turn."""
    if not is_first:
        return state.blocks
    front += state.front
    return state.near


def _has_call(content: Iterable[Any]) -> bool:
    return any(isinstance(block, dict) and block.get("type") == "tool_use" for block in content)
