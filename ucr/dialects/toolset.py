"""Tools that come again with each request of a session, read and checked once.

How this works: an agent sends the same tools with every turn, and they are most of what there is to parse, check and
translate. So the text of such an array is kept with what was read of it. Where a request has the same text again, it
is taken out of the body before that is parsed (`Toolsets.taken_out`), and what was read of it is put in its place. An
array ends where its bracket closes, so that the same bytes are the same array. Whether it was the array of the request
itself, and not one deeper in it, shows when the rest is parsed: a mark stands there instead (`is_marked`).
What a provider's dialect makes of the tools is kept with them as well (`Kept.made`).
"""

import re
from itertools import islice

from msgspec import Raw
from msgspec.json import Decoder

from ucr.dialects.kept import Kept
from ucr.jsontext import COMMAS_LIMIT, JsonObject

LIMIT = 16
LIMIT_BYTES = 512 * 1024
"""Of text; what is read and made of it takes some six times as much."""

LEAST_BYTES = 2048
LONGEST_BYTES = LIMIT_BYTES // 4

_PLACE = re.compile(rb'"tools"\s*:\s*(?=\[)')
_PLACES = 4
"""So many places of a body are looked at: the words may well stand in a conversation, too."""

_MARK = "\x00tools\x00"
MARK_TEXT = b'"\\u0000tools\\u0000"'
_PARTS = Decoder(dict[str, Raw])


class Toolset(Kept):
    """The tools of a request as they were read, which nobody may change, and their text."""

    __slots__ = ("is_whole", "tools", "types")

    def __init__(self, text: bytes, tools: list[JsonObject]) -> None:
        super().__init__(text, text)
        self.tools = tools
        self.types = frozenset(str(tool.get("type")) for tool in tools if "type" in tool)
        self.is_whole = all(isinstance(tool.get("input_schema"), dict) for tool in tools)

    def __repr__(self) -> str:
        return f"<Toolset of {len(self.tools)} tools, {len(self.text)} bytes>"


class Toolsets:
    """The toolsets that came last, by their number and their bytes."""

    def __init__(self, limit: int = LIMIT, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._kept: dict[bytes, Toolset] = {}
        self.bytes = 0

    def __repr__(self) -> str:
        return f"<Toolsets: {len(self._kept)} of {self.bytes} bytes>"

    def taken_out(self, raw: bytes) -> tuple[bytes, Toolset, int] | None:
        """Return a body with a mark in the place of known tools, those, and the place; None when there are none."""
        if not self._kept or len(raw) < LEAST_BYTES or len(raw) > COMMAS_LIMIT:
            return None
        for place in islice(_PLACE.finditer(raw), _PLACES):
            start = place.end()
            for text in reversed(self._kept):
                if raw.startswith(text, start):
                    self._kept[text] = known = self._kept.pop(text)
                    return b"%b%b%b" % (raw[:start], MARK_TEXT, raw[start + len(text) :]), known, start
        return None

    def learn(self, raw: bytes, body: JsonObject) -> Toolset | None:
        """Keep the tools of a body that was read and found right; None for those that are not worth it."""
        tools = body.get("tools")
        if not isinstance(tools, list) or len(raw) < LEAST_BYTES or len(raw) > COMMAS_LIMIT:
            return None
        if not all(isinstance(tool, dict) for tool in tools):
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


def is_marked(rest: JsonObject) -> bool:
    """True when what was taken out of a body were the tools of the request itself."""
    return rest.get("tools") == _MARK
