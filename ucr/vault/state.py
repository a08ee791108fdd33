"""The state of a tool call: the thinking blocks that stood before it, as a provider wrote them. Pure."""

from dataclasses import dataclass, field

from ucr import jsontext
from ucr.jsontext import JsonError, JsonObject

_KINDS = frozenset({"thinking", "redacted_thinking"})


@dataclass(slots=True)
class State:
    """`front` are the blocks that stood before any text of the answer, `near` those right before the call."""

    front: list[JsonObject] = field(default_factory=list)
    near: list[JsonObject] = field(default_factory=list)

    @property
    def blocks(self) -> list[JsonObject]:
        """All blocks in their order."""
        return [*self.front, *self.near]


def written(state: State) -> bytes:
    """Return a state as bytes."""
    return jsontext.dumps_to_keep([state.front, state.near])


def read(data: bytes) -> State | None:
    """Read what `written` wrote; None for anything else."""
    try:
        parts = jsontext.loads(data)
    except JsonError:
        return None
    match parts:
        case [list(front), list(near)] if all(_is_block(block) for block in (*front, *near)):
            return State(front, near)
        case _:
            return None


def _is_block(block: object) -> bool:
    return isinstance(block, dict) and block.get("type") in _KINDS
