"""Reading the body of a Messages request: parsed and checked, except for what came before.

Of a long body nearly everything was in the request before it: the tools (`toolset`) and all turns but the last
(`beginnings`). Marks take their places, the rest is parsed and checked, and what was read of them is put back.
"""

from ucr import jsontext
from ucr.dialects import beginnings, toolset
from ucr.dialects.anthropic import typed, validate
from ucr.dialects.beginnings import Beginning, Beginnings
from ucr.dialects.toolset import Toolset, Toolsets
from ucr.errors import ApiError
from ucr.estimate import quick_estimate
from ucr.jsontext import JsonError, JsonObject

LEAST_BYTES = min(beginnings.LEAST_BYTES, toolset.LEAST_BYTES)
"""In a shorter body nothing is looked for."""

Read = tuple[JsonObject, Toolset | None, Beginning | None, int | None]
"""A body, what of it is known, and about how many tokens it is, if that was told by what is known."""


class Reader:
    """Reads bodies, and keeps what will come again."""

    def __init__(self) -> None:
        self._toolsets = Toolsets()
        self._beginnings = Beginnings()

    def __repr__(self) -> str:
        return f"<Reader with {self._toolsets!r}, {self._beginnings!r}>"

    def read(self, raw: bytes, *, is_count: bool) -> Read:
        """Parse and check a body; raise `ApiError` 400 that names what is wrong and where."""
        if len(raw) >= LEAST_BYTES and (known := self._known(raw, is_count=is_count)) is not None:
            return known
        try:
            body = jsontext.loads(raw)
        except JsonError as error:
            raise ApiError("invalid_request_error", f"The request body is not valid JSON: {error}") from None
        if not typed.is_plain(body, is_count=is_count):
            validate.check_each(body, is_count=is_count)
            return body, self._toolsets.learn(raw, body), None, None
        if len(raw) < LEAST_BYTES:
            return body, None, None, None
        return body, self._toolsets.learn(raw, body), self._beginnings.learn(raw, body["messages"], None), None

    def _known(self, raw: bytes, *, is_count: bool) -> Read | None:
        """Read a body of which something is known; None when nothing is, and for one that is unusual."""
        rest, beginning, tools = raw, None, None
        if (taken := self._beginnings.taken_out(raw)) is not None:
            rest, beginning = taken
        if (without_tools := self._toolsets.taken_out(rest)) is not None:
            rest, tools = without_tools
        if rest is raw or not _are_single(rest, beginning, tools):
            return None
        try:
            body = jsontext.loads(rest)
        except JsonError:
            return None
        if not isinstance(body, dict) or not _are_in_place(body, beginning, tools):
            return None
        if not typed.is_plain(body, is_count=is_count):
            return None
        tokens = quick_estimate(rest)
        if tools is not None:
            body["tools"] = tools.tools
            tokens += tools.tokens
        else:
            tools = self._toolsets.learn(rest, body)
        if beginning is not None:
            turns = body["messages"] = beginning.turns + body["messages"]
            tokens += beginning.tokens
        else:
            turns = body["messages"]
        return body, tools, self._beginnings.learn(rest, turns, beginning) or beginning, tokens


def _are_single(rest: bytes, beginning: Beginning | None, tools: Toolset | None) -> bool:
    """True when each mark stands in a body once: nobody but the reader has written it."""
    return (beginning is None or rest.count(beginnings.MARK_TEXT) == 1) and (
        tools is None or rest.count(toolset.MARK_TEXT) == 1
    )


def _are_in_place(body: JsonObject, beginning: Beginning | None, tools: Toolset | None) -> bool:
    """True when the marks stand where they belong; what is left there is as if nothing had been taken out."""
    if tools is not None:
        if not toolset.is_marked(body):
            return False
        body["tools"] = None  # which the check takes for none at all
    if beginning is not None:
        turns = beginnings.turns_after(body)
        if turns is None:
            return False
        body["messages"] = turns
    return True
