"""The canonical answer: what a provider's bytes become before they become the client's bytes.

A stream is `MessageStart`, then for each block `BlockStart`, `BlockDelta`*, `BlockStop` with dense indexes and
one block open at a time, then one `MessageDelta` and one `MessageStop`; `Ping` anywhere; or `Failed` at any
point, after which nothing follows. A non-streaming answer is one `Reply`. The names and the grammar are those
of the Anthropic Messages API, the richest of the protocols that UCR speaks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeAlias

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


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counters; None is "not known", which is never written as 0.

    `input_tokens` excludes what was read from or written to a cache; `output_tokens` includes thinking.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_creation_tokens: int | None = None
    thinking_tokens: int | None = None

    def updated(self, later: "Usage") -> "Usage":
        """Return these counters overwritten by those that `later` knows (counters are cumulative)."""
        known = {f.name: value for f in fields(later) if (value := getattr(later, f.name)) is not None}
        return Usage(**{**{f.name: getattr(self, f.name) for f in fields(self)}, **known})


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    citations: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Thinking:
    thinking: str
    signature: str = ""


@dataclass(frozen=True, slots=True)
class RedactedThinking:
    data: str


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A call of one tool; `input_json` is the text of a JSON object, kept as text so that no number changes."""

    id: str
    name: str
    input_json: str = "{}"


@dataclass(frozen=True, slots=True)
class Opaque:
    """A block of a kind that only its own protocol understands, whole and unchanged."""

    raw: Mapping[str, Any]


Block: TypeAlias = Text | Thinking | RedactedThinking | ToolUse | Opaque


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    thinking: str


@dataclass(frozen=True, slots=True)
class SignatureDelta:
    signature: str


@dataclass(frozen=True, slots=True)
class InputJsonDelta:
    partial_json: str


@dataclass(frozen=True, slots=True)
class OpaqueDelta:
    raw: Mapping[str, Any]


Delta: TypeAlias = TextDelta | ThinkingDelta | SignatureDelta | InputJsonDelta | OpaqueDelta


@dataclass(frozen=True, slots=True)
class MessageStart:
    id: str
    model: str
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class BlockStart:
    """Opens block `index`; a `ToolUse` opens with the input `{}` and gets its JSON by deltas."""

    index: int
    block: Block


@dataclass(frozen=True, slots=True)
class BlockDelta:
    index: int
    delta: Delta


@dataclass(frozen=True, slots=True)
class BlockStop:
    index: int


@dataclass(frozen=True, slots=True)
class MessageDelta:
    """The end of the answer. `is_estimated` says that the provider did not count the output itself."""

    stop_reason: StopReason
    usage: Usage
    stop_sequence: str | None = None
    stop_details: Mapping[str, Any] | None = None
    is_estimated: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class MessageStop:
    pass


@dataclass(frozen=True, slots=True)
class Ping:
    pass


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider reported an error, or its stream broke; nothing follows."""

    error: ApiError


Event: TypeAlias = (
    MessageStart | BlockStart | BlockDelta | BlockStop | MessageDelta | MessageStop | Ping | Failed
)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    id: str
    model: str
    content: tuple[Block, ...]
    stop_reason: StopReason
    usage: Usage
    stop_sequence: str | None = None
    stop_details: Mapping[str, Any] | None = None
