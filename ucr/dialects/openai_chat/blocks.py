"""Writes blocks one after another from pieces that come in any order.

How this works: an Anthropic stream has one open block at a time, and nothing may follow a block's end. A
provider may mix pieces of several calls, text and reasoning. So what arrives stands in a queue, in the order
of its first piece. Only the head of the queue is written, live; the others wait, collecting their pieces. The
head is done when something stands behind it and, if it is a call, when its JSON has ended: another call's
first piece does not prove that. At the end of the answer the whole queue is written.

A call opens once its name is whole, which its first arguments show, and its arguments begin as an object
does; what is never such a call (no arguments, `null`, a custom tool, a wrapper) is written at its end. Text
opens with its first word: a block of white space alone would be refused when the client sends it back to
Claude, so that it is left out. Thinking opens with its first text, or at its end for a state without text.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec import Struct

from ucr import jsontext
from ucr.dialects import envelope
from ucr.dialects.openai_chat.call import Call, Fragment
from ucr.dialects.openai_chat.plain import Kind
from ucr.dialects.openai_chat.thoughts import Thoughts
from ucr.events import (
    Block,
    BlockDelta,
    BlockStart,
    BlockStop,
    Delta,
    Event,
    InputJsonDelta,
    SignatureDelta,
    Text,
    Thinking,
    ThinkingDelta,
    ToolUse,
)
from ucr.jsontext import JsonObject

_CALL_COST_CHARS = 500
"""What a call takes in memory besides its arguments, roughly."""

_RUN_COST_CHARS = 100
"""What a block of text or reasoning that was begun by itself may take in memory besides its pieces."""


class Run:
    """Text or reasoning (which then has `thoughts`), with the pieces that are not written yet."""

    def __init__(self, kind: Kind, thoughts: Thoughts | None) -> None:
        self.kind = kind
        self.thoughts = thoughts
        self.pieces: list[str] = []
        self.is_blank = True
        self.is_open = False

    def add(self, piece: str) -> None:
        self.pieces.append(piece)
        self.is_blank = self.is_blank and piece.isspace()

    def take(self) -> str:
        text = "".join(self.pieces)
        self.pieces.clear()
        return text


class Ready(Struct, frozen=True):
    """A block that came whole and waits for its turn."""

    block: Block


_Item: TypeAlias = Run | Call | Ready


class BlockWriter:
    """Turns pieces into events.

    `seed` names the answer: ids that must be minted come from it. `in_pieces` is False for a whole answer.
    """

    def __init__(self, provider: str, seed: str, names: Mapping[str, str], *, in_pieces: bool) -> None:
        self._provider = provider
        self._seed = seed
        self._names = names
        self._in_pieces = in_pieces
        self._queue: deque[_Item] = deque()
        self._calls: list[Call] = []
        self._by_index: dict[int, Call] = {}
        self._by_id: dict[str, Call] = {}
        self._issued: set[str] = set()
        self._next_index = 0
        self._held_chars = 0

    @property
    def has_calls(self) -> bool:
        """True when the answer has a call that a client can run."""
        return bool(self._calls) and any(call.name for call in self._calls)

    @property
    def held_chars(self) -> int:
        """How much is kept, roughly: all arguments and states, and what waits for its turn."""
        return self._held_chars

    def add(self, kind: Kind, piece: str) -> list[Event]:
        """Take a piece of text or of reasoning."""
        queue = self._queue
        if not piece:
            return []
        if not queue and not piece.isspace():
            return [self.open(kind), BlockDelta(self._next_index, kind(piece))]
        run = queue[-1] if queue else None
        if not isinstance(run, Run) or run.kind is not kind:
            run = self._new_run(kind)
        elif run.is_open and len(queue) == 1:
            return [BlockDelta(self._next_index, kind(piece))]
        run.add(piece)
        self._held_chars += len(piece)
        return self._advance()

    def open(self, kind: Kind) -> Event:
        """Write the beginning of a run before which nothing stands, as `_advance` does; its first piece is no white space."""
        run = self._new_run(kind)
        run.is_blank, run.is_open = False, True
        return BlockStart(self._next_index, _opening(run))

    def begin(self, kind: Kind) -> list[Event]:
        """Say that the text or reasoning that follows is a block of its own."""
        self._held_chars += _RUN_COST_CHARS
        self._new_run(kind)
        return self._advance()

    def whole(self, block: Block, chars: int) -> list[Event]:
        """Take a block that came whole, of that size."""
        self._held_chars += chars
        self._queue.append(Ready(block))
        return self._advance()

    @property
    def live(self) -> Run | Call | None:
        """What is open and alone, so that its next piece is written as it comes."""
        head = self._queue[0] if len(self._queue) == 1 else None
        if isinstance(head, Run):
            return head if head.is_open else None
        return head if isinstance(head, Call) and head.is_open and not head.is_custom else None

    @property
    def has_begun(self) -> bool:
        """True when a block is open or waits to be."""
        return bool(self._queue)

    @property
    def index(self) -> int:
        """The index of the block that is open, or opens next."""
        return self._next_index

    def call_at(self, index: int | None) -> Call | None:
        """Return the call that a provider knows by an index."""
        return None if index is None else self._by_index.get(index)

    def go_on(self, call: Call, arguments: str) -> list[Event]:
        """Take a piece that goes on with the live call."""
        call.arguments.add(arguments)
        self._held_chars += len(arguments)
        return self._delta(call.arguments.take(), InputJsonDelta)

    def thoughts(self, chars: int) -> Thoughts:
        """Return the state of the reasoning that is being read, to add to it something of that size."""
        self._held_chars += chars
        tail = self._queue[-1] if self._queue else None
        run = tail if isinstance(tail, Run) and tail.kind is ThinkingDelta else self._new_run(ThinkingDelta)
        assert run.thoughts is not None
        return run.thoughts

    def call(self, fragment: Fragment, extra: JsonObject) -> list[Event]:
        """Take a fragment of a call; `extra` is what the provider wants back with the call, {} mostly."""
        known = self._known(fragment)
        call = known or Call(f"{self._seed} {len(self._calls)}", self._issued, self._names)
        if fragment.index is not None:
            self._by_index[fragment.index] = call
        if fragment.id:
            self._by_id[fragment.id] = call
        call.add(fragment)
        self._held_chars += len(fragment.arguments)
        if extra:
            self.thoughts(len(jsontext.dumps(extra))).add_extra(call.client_id, extra)
        if known is None:
            self._held_chars += _CALL_COST_CHARS
            self._calls.append(call)
            self._queue.append(call)
        return self._advance()

    def finish(self, *, is_cut: bool) -> list[Event]:
        """Write everything that waits; `is_cut` says that the provider stopped in the middle."""
        events = [] if self.live else self._advance()
        while self._queue:
            events += self._end(self._queue.popleft(), is_cut=is_cut)
            if self._queue:
                events += self._advance()
        return events

    def _known(self, fragment: Fragment) -> Call | None:
        """Find the call that a fragment continues: by its index, else its id, else the last; None if new."""
        if fragment.index is not None:
            call = self._by_index.get(fragment.index)
        elif fragment.id in self._by_id:
            call = self._by_id[fragment.id]
        else:
            call = self._calls[-1] if self._calls and not fragment.name else None
        return None if call is None or call.is_followed_by(fragment) else call

    def _new_run(self, kind: Kind) -> Run:
        run = Run(kind, Thoughts(in_pieces=self._in_pieces) if kind is ThinkingDelta else None)
        self._queue.append(run)
        return run

    def _advance(self) -> list[Event]:
        """Write the head of the queue, and end every head that is done."""
        events: list[Event] = []
        while self._queue:
            head = self._queue[0]
            events += self._write(head)
            if len(self._queue) == 1 or (isinstance(head, Call) and not head.has_ended):
                break
            events += self._end(self._queue.popleft(), is_cut=False)
        return events

    def _write(self, item: _Item) -> list[Event]:
        """Write what an item has to say by now."""
        if isinstance(item, Call):
            if item.is_open:
                return self._delta(item.arguments.take(), InputJsonDelta)
            if not item.can_open:
                return []
            return [self._start(item.opening()), *self._delta(item.arguments.take(), InputJsonDelta)]
        if isinstance(item, Ready) or item.is_blank or not item.pieces:
            return []
        return self._write_run(item)

    def _write_run(self, run: Run) -> list[Event]:
        events: list[Event] = [] if run.is_open else [self._start(_opening(run))]
        run.is_open = True
        text = run.take()
        self._held_chars -= len(text)
        return [*events, *self._delta(text, run.kind)]

    def _end(self, item: _Item, *, is_cut: bool) -> list[Event]:
        """Write the end of an item, or all of one that did not open."""
        if isinstance(item, Run):
            return self._end_run(item)
        if isinstance(item, Ready):
            return [self._start(item.block), self._stop()]
        if item.is_open:
            ending = "" if is_cut else item.arguments.ending()
            return [*self._delta(ending, InputJsonDelta), self._stop()]
        return [event for block in item.blocks(is_cut=is_cut) for event in self._whole(block)]

    def _end_run(self, run: Run) -> list[Event]:
        if run.pieces:
            self._held_chars -= len(run.take())
        if run.thoughts is None:
            return [self._stop()] if run.is_open else []
        if not run.is_open and not run.thoughts.is_needed:
            return []
        events: list[Event] = [] if run.is_open else [self._start(_opening(run))]
        signature = run.thoughts.signature or envelope.seal(self._provider, run.thoughts.state())
        return [*events, *self._delta(signature, SignatureDelta), self._stop()]

    def _whole(self, block: ToolUse) -> list[Event]:
        start = self._start(ToolUse(block.id, block.name))
        return [start, *self._delta(block.input_json, InputJsonDelta), self._stop()]

    def _start(self, block: Block) -> Event:
        return BlockStart(self._next_index, block)

    def _delta(self, text: str, kind: Callable[[str], Delta]) -> list[Event]:
        return [BlockDelta(self._next_index, kind(text))] if text else []

    def _stop(self) -> Event:
        self._next_index += 1
        return BlockStop(self._next_index - 1)


def _opening(run: Run) -> Block:
    return Text("") if run.thoughts is None else Thinking("")
