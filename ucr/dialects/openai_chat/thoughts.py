"""What a provider gets back of its own earlier thinking.

The state travels in the signatures of thinking blocks; another provider's blocks, Claude's among them, are
nothing to this one and are left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ucr.dialects.envelope import unseal
from ucr.jsontext import JsonObject


@dataclass(frozen=True, slots=True)
class Thoughts:
    """`text` is None when nothing of this provider's thinking came back; `extras` is by the client's call id."""

    text: str | None = None
    details: tuple[JsonObject, ...] = ()
    chunks: tuple[JsonObject, ...] = ()
    extras: Mapping[str, JsonObject] = field(default_factory=dict)


def recall(blocks: Iterable[JsonObject], provider: str) -> Thoughts:
    """Gather the state that `provider` put into the thinking blocks of one turn."""
    texts: list[str] = []
    details: list[JsonObject] = []
    chunks: list[JsonObject] = []
    extras: dict[str, JsonObject] = {}
    for block in blocks:
        envelope = unseal(block.get("signature")) if block["type"] == "thinking" else None
        if envelope is None or envelope.provider != provider:
            continue
        state = envelope.state
        texts.append(_text(state.get("reasoning_content"), block.get("thinking")))
        details += _objects(state.get("reasoning_details"))
        chunks += _objects(state.get("thinking_chunks"))
        extra = state.get("extra_content")
        items = extra.items() if isinstance(extra, dict) else ()
        extras.update((id_, value) for id_, value in items if isinstance(value, dict))
    return Thoughts("".join(texts) if texts else None, tuple(details), tuple(chunks), extras)


def _text(*choices: Any) -> str:
    return next((choice for choice in choices if isinstance(choice, str)), "")


def _objects(value: object) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
