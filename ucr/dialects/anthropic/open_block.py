"""One block of a stream while it is open."""

from msgspec import Struct

from ucr.events import (
    Block,
    BlockDelta,
    BlockStart,
    BlockStop,
    Delta,
    Event,
    InputJsonDelta,
    Opaque,
    OpaqueDelta,
    RedactedThinking,
    SignatureDelta,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
)
from ucr.jsontext import JsonObject


class Piece(Struct, frozen=True, gc=False):
    """What nearly all deltas are: a piece of text, of thinking, or of a call's input."""

    type: str
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None


class OpenBlock:
    """A block between its start and its stop: `index` is the provider's, `number` ours, which knows no gaps.

    What a start already holds of text or input follows as deltas, and the signature comes once, last: that is
    the grammar that every client reads. A hidden block gives no events.
    """

    def __init__(self, index: object, number: int, block: Block, is_hidden: bool) -> None:
        self.index = index
        self._number = number
        self._block = block
        self._is_hidden = is_hidden
        self._signature = block.signature if isinstance(block, Thinking) else ""
        self._has_input = False

    def start(self) -> list[Event]:
        """Return the events that open the block."""
        opened: Block = self._block
        first: Delta | None = None
        match self._block:
            case Text(text, citations):
                opened, first = Text("", citations), TextDelta(text) if text else None
            case Thinking(thinking):
                opened, first = Thinking(""), ThinkingDelta(thinking) if thinking else None
            case ToolUse(id_, name):
                opened = ToolUse(id_, name)
            case RedactedThinking() | Opaque():
                pass
        return self._shown(BlockStart(self._number, opened), first)

    def delta(self, raw: JsonObject) -> list[Event]:
        """Return the event for a delta; none for one that the block's kind has no use for."""
        delta = self._read(raw)
        return [] if delta is None else self._shown(BlockDelta(self._number, delta))

    def go_on(self, piece: Piece) -> list[Event] | None:
        """Return the event for a piece as `delta` does; None for one that must be read as a dictionary."""
        block = self._block
        delta: Delta | None = None
        if piece.type == "text_delta" and piece.text is not None and isinstance(block, Text):
            delta = TextDelta(piece.text)
        elif piece.type == "input_json_delta" and piece.partial_json is not None and isinstance(block, ToolUse):
            self._has_input = self._has_input or bool(piece.partial_json)
            delta = InputJsonDelta(piece.partial_json)
        elif piece.type == "thinking_delta" and piece.thinking is not None and isinstance(block, Thinking):
            delta = ThinkingDelta(piece.thinking)
        if delta is None:
            return None
        return [] if self._is_hidden else [BlockDelta(self._number, delta)]

    def stop(self) -> list[Event]:
        """Return the events that complete and close the block."""
        late: Delta | None = None
        if isinstance(self._block, ToolUse) and not self._has_input and self._block.input_json != "{}":
            late = InputJsonDelta(self._block.input_json)
        if self._signature:
            late = SignatureDelta(self._signature)
        delayed = [] if late is None else self._shown(BlockDelta(self._number, late))
        return [*delayed, *self._shown(BlockStop(self._number))]

    def _read(self, raw: JsonObject) -> Delta | None:
        match self._block, raw:
            case Text(), {"type": "text_delta", "text": str(text)}:
                return TextDelta(text)
            case Text(), {"type": "citations_delta", "citation": dict()}:
                return OpaqueDelta(raw)
            case Thinking(), {"type": "thinking_delta", "thinking": str(thinking)}:
                return ThinkingDelta(thinking)
            case Thinking(), {"type": "signature_delta", "signature": str(signature)}:
                self._signature = signature
            case ToolUse(), {"type": "input_json_delta", "partial_json": str(partial)}:
                self._has_input = self._has_input or bool(partial)
                return InputJsonDelta(partial)
            case Opaque(), {"type": str()}:
                return OpaqueDelta(raw)
        return None

    def _shown(self, event: Event, first: Delta | None = None) -> list[Event]:
        if self._is_hidden:
            return []
        return [event] if first is None else [event, BlockDelta(self._number, first)]
