"""Gathers the states of the tool calls of one answer from its events. Pure.

Only thinking that bears a signature counts, the provider's own or the envelope that holds its state: other thinking
is words, which nobody wants back.
"""

from collections.abc import Callable

from ucr import answer
from ucr.events import (
    BlockDelta,
    BlockStart,
    BlockStop,
    Event,
    MessageStop,
    RedactedThinking,
    Reply,
    SignatureDelta,
    Text,
    Thinking,
    ThinkingDelta,
    ToolUse,
)
from ucr.jsontext import JsonObject
from ucr.vault.state import State, written

MOST_BYTES = 1024 * 1024
"""The state of an answer that is larger is not kept."""

Keep = Callable[[str, bytes], object]
"""Takes the client's id of a call, and its state."""


class Gatherer:
    """Takes the events of one answer, and gives the states away when the answer has come to its proper end."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._words: list[str] | None = None
        self._signature: list[str] = []
        self._waiting = State()
        self._calls: dict[str, State] = {}
        self._has_text = False
        self._chars = 0

    def take(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case BlockDelta(delta=ThinkingDelta(thinking=words)) if self._words is not None:
                self._add(self._words, words)
            case BlockDelta(delta=SignatureDelta(signature=signature)) if self._words is not None:
                self._add(self._signature, signature)
            case BlockStart(block=Thinking(thinking=words, signature=signature)):
                self._words, self._signature = [], []
                self._add(self._words, words)
                self._add(self._signature, signature)
            case BlockStart(block=RedactedThinking(data=data)):
                self._chars += len(data)
                self._put({"type": "redacted_thinking", "data": data})
            case BlockStart(block=ToolUse(id=id_)):
                if self._waiting.front or self._waiting.near:
                    self._calls[id_], self._waiting = self._waiting, State()
            case BlockStart(block=Text()):
                self._has_text = True
            case BlockStop() if self._words is not None:
                self._end_thinking(self._words)
            case MessageStop():
                self._give()
            case _:
                pass

    def take_reply(self, reply: Reply) -> None:
        """Take a whole answer."""
        for event in answer.play(reply):
            self.take(event)

    def _add(self, pieces: list[str], piece: str) -> None:
        self._chars += len(piece)
        if self._chars <= MOST_BYTES:
            pieces.append(piece)

    def _end_thinking(self, words: list[str]) -> None:
        signature, self._words = "".join(self._signature), None
        if signature:
            self._put({"type": "thinking", "thinking": "".join(words), "signature": signature})

    def _put(self, block: JsonObject) -> None:
        if self._chars <= MOST_BYTES:
            (self._waiting.near if self._has_text else self._waiting.front).append(block)

    def _give(self) -> None:
        calls, self._calls = self._calls, {}
        if self._chars > MOST_BYTES:
            return
        for id_, state in calls.items():
            self._keep(id_, written(state))
