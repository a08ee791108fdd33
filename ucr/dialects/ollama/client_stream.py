"""An answer as a stream of lines: text and thinking as they come, each call whole, and a last line."""

from typing import assert_never

from ucr.dialects.ollama.client_words import Words, call, ending
from ucr.dialects.ollama.errors import line_of
from ucr.events import (
    Block,
    BlockDelta,
    BlockStart,
    BlockStop,
    Delta,
    Event,
    Failed,
    InputJsonDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
    Usage,
    pieces_of,
)


class LineEncoder:
    """Writes one stream. What this dialect has no word for is left out."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._usage = Usage()
        self._use: ToolUse | None = None
        self._input: list[str] = []
        self._calls = 0

    def encode(self, event: Event) -> bytes:
        """Return the line that an event amounts to, b"" for most that begin or end something."""
        match event:
            case BlockDelta(delta=delta):
                return self._delta(delta)
            case BlockStart(block=block):
                return self._start(block)
            case BlockStop():
                return self._stop()
            case MessageStart(usage=usage):
                self._usage = usage
                return b""
            case MessageDelta():
                self._usage = self._usage.updated(event.usage)
                return self._words.line(**ending(event.stop_reason, self._usage))
            case MessageStop() | Ping():
                return b""
            case Failed(error):
                return line_of(error)
            case _:
                assert_never(event)

    def _start(self, block: Block) -> bytes:
        self._use = block if isinstance(block, ToolUse) else None
        self._input.clear()
        if isinstance(block, Text):
            return self._delta(TextDelta(block.text))
        return self._delta(ThinkingDelta(block.thinking)) if isinstance(block, Thinking) else b""

    def _delta(self, delta: Delta) -> bytes:
        if isinstance(delta, TextDelta):
            return b"".join([self._words.line(piece) for piece in pieces_of(delta)])
        if isinstance(delta, ThinkingDelta):
            return b"".join([self._words.line(thinking=piece) for piece in pieces_of(delta)])
        if isinstance(delta, InputJsonDelta) and self._use is not None:
            self._input.append(delta.partial_json)
        return b""

    def _stop(self) -> bytes:
        use, self._use = self._use, None
        if use is None:
            return b""
        self._calls += 1
        text = "".join(self._input) or use.input_json
        return self._words.line(calls=[call(use.id, use.name, text, self._calls - 1)])
