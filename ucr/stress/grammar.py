"""The grammar of canonical events, checked apart from the code that makes them."""

import json
from collections.abc import Iterable

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
    RedactedThinking,
    SignatureDelta,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
)

_EMPTY = (TextDelta(""), ThinkingDelta(""), InputJsonDelta(""), SignatureDelta(""))


def problems(events: Iterable[Event], *, is_whole: bool = True) -> list[str]:
    """Return what is wrong with a stream of text, thinking and calls; nothing at all is wrong with a good one.

    `is_whole` asks for its end, too. Inputs must be JSON objects unless the answer was cut off by a limit.
    """
    reader = Grammar()
    for event in events:
        reader.read(event)
    return reader.close(is_whole=is_whole)


class Grammar:
    """Reads a stream event by event; `found` is what is wrong with it."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.state = "new"
        self.open: Block | None = None
        self.index = -1
        self.is_signed = False
        self.ids: set[str] = set()
        self.inputs: list[str] = []
        self.stop_reason = ""

    def read(self, event: Event) -> None:
        self._check(self.state != "over", "follows the end", event)
        match event:
            case MessageStart():
                self._step("new", "body", event)
            case BlockStart():
                self._check(self.state == "body" and self.open is None, "opens at the wrong time", event)
                self._start(event)
            case BlockDelta():
                self._delta(event)
            case BlockStop(index):
                self._check(self.open is not None and index == self.index, "is not open", event)
                self._check(self.is_signed or not isinstance(self.open, Thinking), "is not signed", event)
                self.open = None
            case MessageDelta(stop_reason):
                self._check(self.open is None, "leaves a block open", event)
                self._step("body", "ended", event)
                self.stop_reason = stop_reason
            case MessageStop():
                self._step("ended", "over", event)
            case Failed():
                self.state = "over"
            case Ping():
                pass

    def close(self, *, is_whole: bool) -> list[str]:
        if is_whole and self.state != "over":
            self.found.append(f"ends in state {self.state}")
        if self.stop_reason in ("end_turn", "tool_use"):
            self.found += [f"input is no object: {text}" for text in self.inputs if not _is_object(text)]
            if (self.stop_reason == "tool_use") != bool(self.inputs):
                self.found.append(f"stop reason {self.stop_reason} with {len(self.inputs)} calls")
        return self.found

    def _start(self, event: BlockStart) -> None:
        block = event.block
        self._check(event.index == self.index + 1, "has an index that is not the next", event)
        if isinstance(block, ToolUse):
            self._check(block == ToolUse(block.id, block.name), "opens with input", event)
            self._check(
                bool(block.id and block.name) and block.id not in self.ids, "has a bad id or name", event
            )
            self.ids.add(block.id)
            self.inputs.append("")
        elif not isinstance(block, RedactedThinking):
            self._check(block in (Text(""), Thinking("")), "opens with content", event)
        self.open, self.index, self.is_signed = block, event.index, False

    def _delta(self, event: BlockDelta) -> None:
        delta = event.delta
        self._check(event.index == self.index and not self.is_signed, "does not belong here", event)
        self._check(_fits(delta, self.open), "is for another kind of block", event)
        self._check(delta not in _EMPTY, "is empty", event)
        if isinstance(delta, InputJsonDelta) and self.inputs:
            self.inputs[-1] += delta.partial_json
        self.is_signed = isinstance(delta, SignatureDelta)

    def _step(self, before: str, after: str, event: Event) -> None:
        self._check(self.state == before, f"in state {self.state}", event)
        self.state = after

    def _check(self, is_good: bool, problem: str, event: Event) -> None:
        if not is_good:
            self.found.append(f"{event} {problem}")


def _fits(delta: Delta, block: Block | None) -> bool:
    match block:
        case Text():
            return isinstance(delta, TextDelta)
        case Thinking():
            return isinstance(delta, ThinkingDelta | SignatureDelta)
        case ToolUse():
            return isinstance(delta, InputJsonDelta)
        case _:
            return False


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
