"""What a provider gets back of its own earlier thinking.

The state travels in the signatures of thinking blocks; another provider's blocks, Claude's among them, are
nothing to this one and are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from ucr.dialects.envelope import is_ours, unseal
from ucr.dialects.openai_chat.source import object_of, objects_of, text_of
from ucr.jsontext import JsonObject


@dataclass(frozen=True, slots=True)
class Thoughts:
    """`text` is None when no thinking of this provider came back; `extras` is by the client's id of a call."""

    text: str | None = None
    details: tuple[JsonObject, ...] = ()
    chunks: tuple[JsonObject, ...] = ()
    extras: Mapping[str, JsonObject] = field(default_factory=dict)


NOTHING = Thoughts(extras=MappingProxyType({}))


def recall(blocks: Sequence[JsonObject], provider: str) -> Thoughts:
    """Gather the state that `provider` put into the thinking blocks of one turn."""
    thinking = [block for block in blocks if block["type"] == "thinking" and is_ours(block.get("signature"))]
    if not thinking:
        return NOTHING
    texts: list[str] = []
    details: list[JsonObject] = []
    chunks: list[JsonObject] = []
    extras: dict[str, JsonObject] = {}
    for block in thinking:
        envelope = unseal(block.get("signature"))
        if envelope is None or envelope.provider != provider:
            continue
        state = envelope.state
        texts.append(text_of(state.get("reasoning_content", block.get("thinking"))))
        details += objects_of(state.get("reasoning_details"))
        chunks += objects_of(state.get("thinking_chunks"))
        extra = object_of(state.get("extra_content"))
        extras.update((id_, value) for id_, value in extra.items() if isinstance(value, dict))
    return Thoughts("".join(texts) if texts else None, tuple(details), tuple(chunks), extras)
