"""The canonical answer: what a provider's bytes become before they become the client's bytes.

A stream is `MessageStart`, then for each block `BlockStart`, `BlockDelta`*, `BlockStop` with dense indexes and
one block open at a time, then one `MessageDelta` and one `MessageStop`; `Ping` anywhere; or `Failed` at any
point, after which nothing follows. A non-streaming answer is one `Reply`. The names and the grammar are those
of the Anthropic Messages API, the richest of the protocols that UCR speaks.

Several of these are made for every token, so they are msgspec's structs: frozen and compared as dataclasses are,
but made in a seventh of the time. The garbage collector does not follow those that hold texts and numbers alone.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from ucr.errors import ApiError

StopReason = Literal[
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
    "compaction",
]


MOST_TOKENS = 1_000_000_000_000
"""No answer has as many: a larger count is a mistake of whoever counted, and is cut to this."""


class Usage(Struct, frozen=True, gc=False):
    """Token counters; None is "not known", which is never written as 0.

    `input_tokens` excludes what was read from or written to a cache; `output_tokens` includes thinking.
    `cache_creation_1h_tokens` are those of `cache_creation_tokens` that were written for an hour, and cost more.
    `web_searches` and `web_fetches` are calls of such tools that the router ran.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_creation_tokens: int | None = None
    thinking_tokens: int | None = None
    cache_creation_1h_tokens: int | None = None
    web_searches: int | None = None
    web_fetches: int | None = None

    def updated(self, later: "Usage") -> "Usage":
        """Return these counters overwritten by those that `later` knows (counters are cumulative)."""
        if later == _NOTHING_KNOWN:
            return self
        if self == _NOTHING_KNOWN:
            return later
        return Usage(
            self.input_tokens if later.input_tokens is None else later.input_tokens,
            self.output_tokens if later.output_tokens is None else later.output_tokens,
            self.cache_read_tokens if later.cache_read_tokens is None else later.cache_read_tokens,
            self.cache_creation_tokens if later.cache_creation_tokens is None else later.cache_creation_tokens,
            self.thinking_tokens if later.thinking_tokens is None else later.thinking_tokens,
            self.cache_creation_1h_tokens
            if later.cache_creation_1h_tokens is None
            else later.cache_creation_1h_tokens,
            self.web_searches if later.web_searches is None else later.web_searches,
            self.web_fetches if later.web_fetches is None else later.web_fetches,
        )


_NOTHING_KNOWN = Usage()


class Text(Struct, frozen=True):
    text: str
    citations: tuple[Mapping[str, Any], ...] = ()


class Thinking(Struct, frozen=True, gc=False):
    thinking: str
    signature: str = ""


class RedactedThinking(Struct, frozen=True, gc=False):
    data: str


class ToolUse(Struct, frozen=True, gc=False):
    """A call of one tool; `input_json` is the text of a JSON object, kept as text so that no number changes."""

    id: str
    name: str
    input_json: str = "{}"


class Opaque(Struct, frozen=True):
    """A block of a kind that only its own protocol understands, whole and unchanged."""

    raw: Mapping[str, Any]


Block: TypeAlias = Text | Thinking | RedactedThinking | ToolUse | Opaque


class TextDelta(Struct, frozen=True, gc=False):
    """A piece of text. Several that came at once are one delta: `pieces` are those, and none of them is empty."""

    text: str
    pieces: tuple[str, ...] = ()


class ThinkingDelta(Struct, frozen=True, gc=False):
    """A piece of reasoning, or several as a `TextDelta` may have."""

    thinking: str
    pieces: tuple[str, ...] = ()


def pieces_of(delta: TextDelta | ThinkingDelta) -> tuple[str, ...]:
    """Return the pieces of a delta, most often the one that it is; an empty delta has none."""
    if delta.pieces:
        return delta.pieces
    text = delta.text if isinstance(delta, TextDelta) else delta.thinking
    return (text,) if text else ()


class SignatureDelta(Struct, frozen=True, gc=False):
    signature: str


class InputJsonDelta(Struct, frozen=True, gc=False):
    partial_json: str


class OpaqueDelta(Struct, frozen=True):
    raw: Mapping[str, Any]


Delta: TypeAlias = TextDelta | ThinkingDelta | SignatureDelta | InputJsonDelta | OpaqueDelta


class MessageStart(Struct, frozen=True, gc=False):
    id: str
    model: str
    usage: Usage = Usage()


class BlockStart(Struct, frozen=True):
    """Opens block `index`; a `ToolUse` opens with the input `{}` and gets its JSON by deltas."""

    index: int
    block: Block


class BlockDelta(Struct, frozen=True, gc=False):
    index: int
    delta: Delta


class BlockStop(Struct, frozen=True, gc=False):
    index: int


class MessageDelta(Struct, frozen=True):
    """The end of the answer. `is_estimated` says that the provider did not count the output itself."""

    stop_reason: StopReason
    usage: Usage
    stop_sequence: str | None = None
    stop_details: Mapping[str, Any] | None = None
    is_estimated: bool = False


class MessageStop(Struct, frozen=True, gc=False):
    pass


class Ping(Struct, frozen=True, gc=False):
    pass


class Failed(Struct, frozen=True):
    """The provider reported an error, or its stream broke; nothing follows."""

    error: ApiError


Event: TypeAlias = (
    MessageStart | BlockStart | BlockDelta | BlockStop | MessageDelta | MessageStop | Ping | Failed
)


class Reply(Struct, frozen=True):
    """A whole answer."""

    id: str
    model: str
    content: tuple[Block, ...]
    stop_reason: StopReason
    usage: Usage
    stop_sequence: str | None = None
    stop_details: Mapping[str, Any] | None = None
