"""What a provider gets back of its own earlier thinking.

The state travels in the signatures of thinking blocks; another provider's blocks, Claude's among them, are
nothing to this one and are left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ucr.dialects.envelope import unseal
from ucr.dialects.openai_chat.source import object_of, objects_of, text_of
from ucr.jsontext import JsonObject


@dataclass(frozen=True, slots=True)
class Thoughts:
    """`text` is None when no thinking of this provider came back; `extras` is by the client's id of a call."""

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
        texts.append(text_of(state.get("reasoning_content", block.get("thinking"))))
        details += objects_of(state.get("reasoning_details"))
        chunks += objects_of(state.get("thinking_chunks"))
        extra = object_of(state.get("extra_content"))
        extras.update((id_, value) for id_, value in extra.items() if isinstance(value, dict))
    return Thoughts("".join(texts) if texts else None, tuple(details), tuple(chunks), extras)
