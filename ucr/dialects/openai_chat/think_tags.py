"""Takes `<think>…</think>` out of text, for providers that write their reasoning into it.

Off unless the provider's `split_think` says so: text about such tags would be taken for reasoning. Only tags
at the very beginning of the answer count, and the tag may be cut anywhere.
"""

from collections.abc import Callable
from typing import Literal

_OPEN, _CLOSE = "<think>", "</think>"

_BLANK_CHARS = 100
"""More white space than this before the first word is no beginning of a tag."""

Part = tuple[Literal["thinking", "text"], str]


class ThinkSplitter:
    """Splits text that arrives in pieces; what may be the beginning of a tag waits for the next piece."""

    def __init__(self) -> None:
        self._rest = ""
        self._step: Callable[[], list[Part]] | None = self._begin

    def feed(self, piece: str) -> list[Part]:
        """Return what is certain by now, in order; none of it is empty."""
        self._rest += piece
        parts: list[Part] = []
        while self._step is not None:
            step = self._step
            parts += step()
            if self._step == step:
                return parts
        return parts + self._taken("text", len(self._rest))

    def close(self) -> list[Part]:
        """Return what waited: half a tag is text, or reasoning when it stands in reasoning."""
        kind: Literal["thinking", "text"] = "thinking" if self._step == self._inside else "text"
        self._step = None
        return self._taken(kind, len(self._rest))

    def _begin(self) -> list[Part]:
        text = self._rest.lstrip()
        if text.startswith(_OPEN):
            self._rest = text[len(_OPEN) :]
            self._step = self._inside
        elif not _OPEN.startswith(text) or len(self._rest) > _BLANK_CHARS:
            self._step = None
        return []

    def _inside(self) -> list[Part]:
        end = self._rest.find(_CLOSE)
        if end < 0:
            return self._taken("thinking", len(self._rest) - _overlap(self._rest))
        parts = self._taken("thinking", end)
        self._rest = self._rest[len(_CLOSE) :]
        self._step = self._after
        return parts

    def _after(self) -> list[Part]:
        """Leave out the white space between the reasoning and the answer."""
        self._rest = self._rest.lstrip()
        if self._rest:
            self._step = None
        return []

    def _taken(self, kind: Literal["thinking", "text"], length: int) -> list[Part]:
        text, self._rest = self._rest[:length], self._rest[length:]
        return [(kind, text)] if text else []


def _overlap(text: str) -> int:
    """Return how many characters at the end may begin the closing tag."""
    return next((size for size in range(len(_CLOSE) - 1, 0, -1) if text.endswith(_CLOSE[:size])), 0)
