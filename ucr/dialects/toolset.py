"""Tools that come again with each request of a session, read and checked once.

How this works: an agent sends the same tools with every turn, and they are most of what there is to parse, check and
translate. So the text of such an array is kept with what was read of it. Where a request has the same text again, it
is taken out of the body before that is parsed (`Toolsets.taken_out`), and what was read of it is put in its place
(`put_in`). An array ends where its bracket closes, so that the same bytes are the same array. Whether it was the
array of the request itself, and not one deeper in it, shows when the rest is parsed: a mark stands there instead.
What a provider's dialect makes of the tools is kept with them as well (`Toolset.made`).
"""

import re
from typing import Any

from msgspec import Raw
from msgspec.json import Decoder

from ucr.jsontext import COMMAS_LIMIT, JsonObject

LIMIT = 16
LIMIT_BYTES = 512 * 1024
"""Of text; what is read and made of it takes some six times as much."""

LEAST_BYTES = 2048
LONGEST_BYTES = LIMIT_BYTES // 4
TARGETS = 2
"""For so many providers, or models, it is kept what was made of the tools."""

_NAME = b'"tools"'
_VALUE = re.compile(rb"\s*:\s*(?=\[)")
_PLACES = 4
"""So many places of a body are looked at: the words may well stand in a conversation, too."""

_MARK = "\x00tools\x00"
_MARK_TEXT = b'"\\u0000tools\\u0000"'
_PARTS = Decoder(dict[str, Raw])


class Toolset:
    """The tools of a request as they were read, which nobody may change, and their text."""

    __slots__ = ("_made", "is_whole", "text", "tools", "types")

    def __init__(self, text: bytes, tools: list[JsonObject]) -> None:
        self.text = text
        self.tools = tools
        self.types = frozenset(str(tool.get("type")) for tool in tools if "type" in tool)
        self.is_whole = all(isinstance(tool.get("input_schema"), dict) for tool in tools)
        self._made: list[tuple[object, object]] = []

    def __repr__(self) -> str:
        return f"<Toolset of {len(self.tools)} tools, {len(self.text)} bytes>"

    def made(self, target: object) -> object | None:
        """Return what was made of the tools for a target: for this very object, since a plan keeps its own."""
        for known, made in self._made:
            if known is target:
                return made
        return None

    def keep(self, target: object, made: object) -> None:
        """Keep what was made for a target, and forget what was made for the one before the last."""
        self._made = [*self._made, (target, made)][-TARGETS:]


class Toolsets:
    """The toolsets that came last, by their number and their bytes."""

    def __init__(self, limit: int = LIMIT, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._kept: dict[bytes, Toolset] = {}
        self.bytes = 0

    def __repr__(self) -> str:
        return f"<Toolsets: {len(self._kept)} of {self.bytes} bytes>"

    def taken_out(self, raw: bytes) -> tuple[bytes, Toolset] | None:
        """Return a body with a mark in the place of tools that are known, and those; None when there are none."""
        if not self._kept or len(raw) < LEAST_BYTES or len(raw) > COMMAS_LIMIT:
            return None
        at = 0
        for _ in range(_PLACES):
            at = raw.find(_NAME, at) + len(_NAME)
            if at < len(_NAME):
                return None
            place = _VALUE.match(raw, at)
            start = -1 if place is None else place.end()
            text = next(
                (text for text in reversed(self._kept) if start > 0 and raw.startswith(text, start)), None
            )
            if text is not None:
                return self._without(raw, start, text)
        return None

    def _without(self, raw: bytes, start: int, text: bytes) -> tuple[bytes, Toolset] | None:
        self._kept[text] = known = self._kept.pop(text)
        rest = b"%b%b%b" % (raw[:start], _MARK_TEXT, raw[start + len(text) :])
        return (rest, known) if rest.count(_MARK_TEXT) == 1 else None

    def learn(self, raw: bytes, body: JsonObject) -> Toolset | None:
        """Keep the tools of a body that was read and found right; None for those that are not worth it."""
        tools = body.get("tools")
        if not isinstance(tools, list) or len(raw) < LEAST_BYTES or len(raw) > COMMAS_LIMIT:
            return None
        try:
            text = bytes(_PARTS.decode(raw)["tools"])
        except (ValueError, RecursionError, KeyError):
            return None
        if not LEAST_BYTES <= len(text) <= LONGEST_BYTES:
            return None
        known = self._kept.pop(text, None)
        self.bytes -= 0 if known is None else len(text)
        self._kept[text] = known = Toolset(text, tools)
        self.bytes += len(text)
        while self.bytes > self._limit_bytes or len(self._kept) > self._limit:
            self.bytes -= len(self._kept.pop(next(iter(self._kept))).text)
        return known


def is_marked(rest: Any) -> bool:
    """True when what was taken out of a body were the tools of the request itself."""
    return isinstance(rest, dict) and rest.get("tools") == _MARK
