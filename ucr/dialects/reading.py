"""Reading the body of a request of Messages or chat completions: parsed and checked, except for what came before.

Of a long body nearly everything was in the request before it: the tools and the system prompt (`members`), and all turns
but the last (`beginnings`). Marks take their places, the rest is parsed and checked, and what was read of them is put back.
"""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import msgspec

from ucr import jsontext
from ucr.dialects import beginnings, members
from ucr.dialects.beginnings import Beginning, Beginnings
from ucr.dialects.kept import Kept
from ucr.dialects.model_name import Places
from ucr.dialects.prompt import Prompt, Prompts
from ucr.dialects.toolset import Toolset, Toolsets
from ucr.errors import ApiError
from ucr.estimate import quick_estimate
from ucr.jsontext import JsonError, JsonObject

LEAST_BYTES = min(beginnings.LEAST_BYTES, members.LEAST_BYTES)
"""In a shorter body nothing is looked for."""

_MARK_TOKENS = quick_estimate(beginnings.MARK_TEXT)
_NUL = b"\\u0000"
"""The one way to write the character that no mark is without: its letters could be written in several."""

_MARK_NULS = 2
"""So many are in a mark. In a body with more of them, a mark may be its client's."""

_Part = tuple[int, Kept, bytes]
"""A known part of a body: where it starts, what is known of it, and the mark that takes its place."""

_START = itemgetter(0)


class Shape(msgspec.Struct, frozen=True):
    """What a body must be. `is_plain` is True only for a right one; `check` raises `ApiError` 400 for a wrong one.

    Each turn and each tool must be right by itself, whatever stands beside it. `words` say that it is no JSON.
    """

    is_plain: Callable[[Any], bool]
    check: Callable[[Any], None]
    words: str


class Read(msgspec.Struct, frozen=True):
    """A body as it was read, and what is known of it; see `Request` for the words."""

    body: JsonObject
    tokens: int | None = None
    toolset: Toolset | None = None
    beginning: Beginning | None = None
    places: Places = ()
    prompt: Prompt | None = None


class Reader:
    """Reads bodies, and keeps what will come again."""

    def __init__(self) -> None:
        self._toolsets = Toolsets()
        self._prompts = Prompts()
        self._beginnings = Beginnings()

    def __repr__(self) -> str:
        return f"<Reader with {self._toolsets!r}, {self._prompts!r}, {self._beginnings!r}>"

    def read(self, raw: bytes, shape: Shape) -> Read:
        """Parse and check a body; raise `ApiError` 400 that names what is wrong and where."""
        is_short = len(raw) < LEAST_BYTES
        if not is_short and (known := self._known(raw, shape)) is not None:
            return known
        try:
            body = jsontext.loads(raw)
        except JsonError as error:
            raise ApiError("invalid_request_error", f"{shape.words}: {error}") from None
        is_plain = shape.is_plain(body)
        if not is_plain:
            shape.check(body)
        if is_short:
            return Read(body)
        tools = self._toolsets.learn(raw, body)
        if not is_plain:
            return Read(body, None, tools)
        beginning = self._beginnings.learn(raw, body["messages"], None)
        return Read(body, None, tools, beginning, prompt=self._prompts.learn(raw, body))

    def _known(self, raw: bytes, shape: Shape) -> Read | None:
        """Read a body of which something is known; None when nothing is, and for one that is unusual."""
        beginning = prompt = tools = None
        parts: list[_Part] = []
        first = last = 0
        if (begun := self._beginnings.find(raw)) is not None:
            first, beginning = begun
            last = first + len(beginning.text)
            parts.append((first, beginning, beginnings.MARK_TEXT))
        if (prompted := self._prompts.find(raw, first, last)) is not None:
            start, prompt = prompted
            parts.append((start, prompt, self._prompts.mark_text))
        if (equipped := self._toolsets.find(raw, first, last)) is not None:
            start, tools = equipped
            parts.append((start, tools, self._toolsets.mark_text))
        parts.sort(key=_START)
        rest = _marked(raw, parts)
        if rest is None or rest.count(_NUL) != len(parts) * _MARK_NULS:
            return None
        try:
            body = jsontext.loads(rest)
        except JsonError:
            return None
        if not isinstance(body, dict) or not self._are_in_place(body, beginning, prompt, tools):
            return None
        if not shape.is_plain(body):
            return None
        tokens = quick_estimate(rest) + sum([part.tokens - _MARK_TOKENS for _, part, _ in parts])
        if tools is None:
            tools = self._toolsets.learn(rest, body)
        else:
            body["tools"] = tools.tools
        if prompt is None:
            prompt = self._prompts.learn(rest, body)
        else:
            body["system"] = prompt.blocks
        if beginning is not None:
            body["messages"] = beginning.turns + body["messages"]
        beginning = self._beginnings.learn(rest, body["messages"], beginning) or beginning
        return Read(body, tokens, tools, beginning, _between(parts, len(raw)), prompt)

    def _are_in_place(
        self, body: JsonObject, beginning: Beginning | None, prompt: Prompt | None, tools: Toolset | None
    ) -> bool:
        """True when the marks stand where they belong; what is left there is as if nothing had been taken out."""
        if tools is not None:
            if not self._toolsets.is_marked(body):
                return False
            body["tools"] = None  # which the check takes for none at all
        if prompt is not None:
            if not self._prompts.is_marked(body):
                return False
            body["system"] = None
        if beginning is not None:
            turns = beginnings.turns_after(body)
            if turns is None:
                return False
            body["messages"] = turns
        return True


def _marked(raw: bytes, parts: list[_Part]) -> bytes | None:
    """Return a body with marks in the places of its known parts; None without any, and where two have a place in common."""
    view = memoryview(raw)  # of which a slice is no copy
    pieces: list[bytes | memoryview] = []
    end = 0
    for start, known, mark in parts:
        if start < end:
            return None
        pieces += (view[end:start], mark)
        end = start + len(known.text)
    return b"".join([*pieces, view[end:]]) if pieces else None


def _between(parts: list[_Part], length: int) -> Places:
    """Return what lies between the parts of a body that have no key `model`; none at all where all of them have one."""
    places: list[tuple[int, int]] = []
    end = 0
    for start, known, _ in parts:
        if not known.names_model:
            places.append((end, start))
            end = start + len(known.text)
    return (*places, (end, length)) if places else ()
