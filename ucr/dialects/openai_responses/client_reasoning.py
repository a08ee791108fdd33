"""Thinking as the reasoning items of a Responses client, and what comes back of it.

A reasoning item has a summary that people read and an `encrypted_content` that only its maker can. The signature of
a thinking block, which is whatever the provider wants back, goes into the latter: sealed, so that it is known again
and sent to nobody else. The text goes into the summary, and counts on its return only if it was not edited.
"""

from ucr.dialects import envelope
from ucr.dialects.openai_chat.source import objects_of, text_of
from ucr.jsontext import JsonObject

OWNER = "openai-responses-client"
_LOST = "earlier reasoning without its intact signature was dropped"


def seal_thinking(thinking: str, signature: str) -> str | None:
    """Return the encrypted content for a thinking block; None for one that nobody wants back."""
    if not signature:
        return None
    return envelope.seal(OWNER, {"signature": signature, "length": len(thinking)})


def seal_redacted(data: str) -> str:
    """Return the encrypted content for thinking that the client may not read."""
    return envelope.seal(OWNER, {"data": data})


def blocks_of(item: JsonObject, notes: list[str]) -> list[JsonObject]:
    """Return the block that a reasoning item was made of; nothing, with a note, when it cannot be restored."""
    opened = envelope.unseal(item.get("encrypted_content"))
    state = opened.state if opened is not None and opened.provider == OWNER else {}
    data, signature = state.get("data"), state.get("signature")
    if isinstance(data, str):
        return [{"type": "redacted_thinking", "data": data}]
    thinking = "".join(text_of(part.get("text")) for part in objects_of(item.get("summary")))
    if not isinstance(signature, str) or state.get("length") != len(thinking):
        notes.append(_LOST)
        return []
    return [{"type": "thinking", "thinking": thinking, "signature": signature}]
