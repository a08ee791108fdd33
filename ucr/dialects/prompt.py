"""System prompts that come again with each request of a session, read and checked once: see `members`."""

from typing import Any

from ucr.dialects.kept import Kept
from ucr.dialects.members import LEAST_BYTES, LIMIT, LIMIT_BYTES, Members
from ucr.jsontext import JsonObject


class Prompt(Kept):
    """The blocks of a system prompt as they were read, which nobody may change, and their text."""

    __slots__ = ("blocks",)

    def __init__(self, text: bytes, blocks: list[JsonObject]) -> None:
        super().__init__(text, text)
        self.blocks = blocks

    def __repr__(self) -> str:
        return f"<Prompt of {len(self.blocks)} blocks, {len(self.text)} bytes>"


class Prompts(Members[Prompt]):
    """The system prompts that came last."""

    def __init__(self, limit: int = LIMIT, limit_bytes: int = LIMIT_BYTES) -> None:
        super().__init__("system", Prompt, limit, limit_bytes)

    def learn(self, raw: bytes, body: JsonObject) -> Prompt | None:
        """Keep the prompt of a body that was found right; a short one is not worth to be looked for in the text."""
        blocks = body.get("system")
        return super().learn(raw, body) if isinstance(blocks, list) and _is_long(blocks) else None


def _is_long(blocks: list[Any]) -> bool:
    """True for texts of some length. In a dialect that has no such prompts nobody has looked at what is there."""
    try:
        return sum([len(block["text"]) for block in blocks]) >= LEAST_BYTES
    except (TypeError, KeyError):
        return False
