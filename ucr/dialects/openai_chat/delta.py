"""Reads what an answer says: the delta of a chunk, or the message of a whole answer.

Reasoning comes before text and text before calls where one delta has several. Reasoning that a provider
gives under two names (`reasoning` beside `reasoning_content` or `reasoning_details`) is read once.

A client that wants no thinking gets none, with two exceptions, for without them its next turn would be
refused: a provider that requires its reasoning back (`reasoning_history`) gets it back with the calls of the
same answer, and Google gets back the `extra_content` of a call. Both travel in thinking blocks, which
therefore stand before such calls whatever the client asked for.
"""

from collections.abc import Iterator

from msgspec import Struct

from ucr import jsontext
from ucr.dialects import faults
from ucr.dialects.openai_chat.blocks import BlockWriter, Run
from ucr.dialects.openai_chat.call import Call, Fragment
from ucr.dialects.openai_chat.pieces import PieceReader
from ucr.dialects.openai_chat.plain import (
    PlainCall,
    PlainChunk,
    PlainDelta,
    PlainFunction,
    lone_arguments,
    plain_chunk,
)
from ucr.dialects.openai_chat.think_tags import Part, ThinkSplitter
from ucr.dialects.openai_chat.thoughts import thinking_text
from ucr.dialects.roles import Context, Stretch
from ucr.events import BlockDelta, Event, TextDelta, ThinkingDelta
from ucr.jsontext import JsonObject

HELD_LIMIT_CHARS = 64 * 1024 * 1024

_REASONING = frozenset({"reasoning", "reasoning_content", "reasoning_details"})
_CALLS = frozenset({"tool_calls", "function_call"})

_LEGACY_INDEX = -1
_NO_IDS = frozenset({"null", "None"})
"""What some servers write for an id that they do not have."""

_NO_FUNCTION = PlainFunction()


class _Thought(Struct, frozen=True):
    """A piece of reasoning: its text, and the details or the chunk that a provider wants back for it."""

    text: str
    size: int = 0
    details: tuple[JsonObject, ...] = ()
    chunk: JsonObject | None = None


class DeltaReader:
    """Reads one answer. `chars` counts all content, shown or not, for providers that count no tokens."""

    def __init__(self, context: Context, seed: str, *, in_pieces: bool) -> None:
        self._provider = context.provider
        self._in_pieces = in_pieces
        self._shows_thinking = context.thinking_wanted
        self._keeps_thinking = context.quirks.reasoning_history != "drop"
        self._withheld: list[_Thought] = []
        self._withheld_chars = 0
        self._splitter = ThinkSplitter() if context.quirks.split_think else None
        self._writer = BlockWriter(context.provider, seed, context.names, in_pieces=in_pieces)
        self._pieces = PieceReader(TextDelta)
        self._whole_calls = 0
        self.is_refused = False
        self.chars = 0

    @property
    def has_calls(self) -> bool:
        """True when the answer has a call that a client can run."""
        return self._writer.has_calls

    def read(self, delta: JsonObject, size: int) -> list[Event]:
        """Take a delta, whose JSON is `size` long; raise `UpstreamError` when too much would be kept."""
        events: list[Event] = []
        if not _REASONING.isdisjoint(delta):
            events += self._think(_reasoning(delta, size))
        content = delta.get("content")
        if content.__class__ is str:
            events += self._text(content)
        elif content:
            for part in _parts(content):
                events += self._think(part) if isinstance(part, _Thought) else self._text(part)
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            self.is_refused = True
            events += self._text(refusal)
        if not _CALLS.isdisjoint(delta):
            events += self._calls(delta)
        self._check_held()
        return events

    def stretch(self) -> Stretch | None:
        """Return what reads blocks that only go on with the open block; None where that is not known.

        It holds until something else is read. What it has read is told to `went_on`.
        """
        live = self._writer.live
        if not isinstance(live, Run) or live.kind is not self._pieces.kind:
            return None
        return self._pieces.stretch(self._writer.index)

    def went_on(self, stretch: Stretch) -> None:
        """Count what a stretch has read, at its end."""
        self.chars += stretch.chars

    def go_on(self, lines: list[bytes], at: int, events: list[Event]) -> tuple[int, PlainChunk | None]:
        """Take the chunks from `at` that only go on with the open block, or begin one of text where none waits; return where
        others begin.

        With it comes the chunk that stands there, where that was read and is plain. This is what a stream does
        nearly all the time, so that it asks once where the pieces go, not for each.
        """
        live = self._writer.live
        if isinstance(live, Call):
            return self._go_on_call(live, lines, at, events)
        kind = TextDelta if live is None else live.kind
        is_unclear = self._splitter is not None or (live is None and self._writer.has_begun)
        if is_unclear or (kind is ThinkingDelta and not self._shows_thinking):
            return at, None
        if self._pieces.kind is not kind:
            self._pieces = PieceReader(kind)
        pieces, chunk = self._pieces.read(lines, at)
        if pieces and live is None:
            if pieces[0].isspace():
                return at, None
            events.append(self._writer.open(kind))
        if pieces:
            text = "".join(pieces)
            delta = kind(text) if len(pieces) == 1 else kind(text, tuple(pieces))
            events.append(BlockDelta(self._writer.index, delta))
            self.chars += len(text)
        return at + len(pieces), chunk

    def _go_on_call(
        self, call: Call, lines: list[bytes], at: int, events: list[Event]
    ) -> tuple[int, PlainChunk | None]:
        room = HELD_LIMIT_CHARS - self._writer.held_chars - self._withheld_chars
        for place in range(at, len(lines)):
            chunk = plain_chunk(lines[place])
            index, arguments = (None, "") if chunk is None else lone_arguments(chunk) or (None, "")
            room -= len(arguments)
            if room < 0 or self._writer.call_at(index) is not call:
                return place, chunk
            events += self._writer.go_on(call, arguments)
            self.chars += len(arguments)
        return len(lines), None

    def read_plain(self, delta: PlainDelta, size: int) -> list[Event]:
        """Take a delta as `read` does, without looking for what it cannot have."""
        content, calls = delta.content, delta.tool_calls
        thought = delta.reasoning_content or delta.reasoning
        if not thought and not calls:
            return self._text(content) if content else []
        events = self._think(_Thought(thought, size)) if thought else []
        if content:
            events += self._text(content)
        if calls:
            events += self._before_calls()
            for call in calls:
                events += self._call(_plain_fragment(call), {})
        self._check_held()
        return events

    def _check_held(self) -> None:
        if self._writer.held_chars + self._withheld_chars > HELD_LIMIT_CHARS:
            raise faults.unreadable(self._provider, "sent more reasoning or tool input than UCR keeps")

    def finish(self, *, is_cut: bool) -> list[Event]:
        """Write what waits; `is_cut` says that the provider stopped in the middle."""
        events = self._end_of_splitting() if self._splitter else []
        events += self._writer.finish(is_cut=is_cut)
        return events

    def _text(self, text: str) -> list[Event]:
        self.chars += len(text)
        if self._splitter is None:
            return self._writer.add(TextDelta, text)
        return self._split(self._splitter.feed(text))

    def _split(self, parts: list[Part]) -> list[Event]:
        events: list[Event] = []
        for kind, text in parts:
            if kind == "text":
                events += self._writer.add(TextDelta, text)
            else:
                self.chars -= len(text)
                events += self._think(_Thought(text, len(text)))
        return events

    def _end_of_splitting(self) -> list[Event]:
        splitter, self._splitter = self._splitter, None
        return [] if splitter is None else self._split(splitter.close())

    def _think(self, thought: _Thought) -> list[Event]:
        self.chars += len(thought.text)
        if self._shows_thinking:
            return self._write_thought(thought)
        if self._keeps_thinking:
            self._withheld.append(thought)
            self._withheld_chars += thought.size
        return []

    def _write_thought(self, thought: _Thought) -> list[Event]:
        if thought.details or thought.chunk is not None:
            self._writer.thoughts(thought.size).add(thought.details, thought.chunk)
        return self._writer.add(ThinkingDelta, thought.text)

    def _calls(self, delta: JsonObject) -> list[Event]:
        calls = list(_call_objects(delta))
        if not calls:
            return []
        events = self._before_calls()
        extra = _object(delta.get("extra_content"))
        for raw in calls:
            fragment = _fragment(raw, self._whole_calls if not self._in_pieces else _index(raw))
            self._whole_calls += 1
            events += self._call(fragment, _object(raw.get("extra_content")) or extra)
            extra = {}
        return events

    def _before_calls(self) -> list[Event]:
        """Write what was withheld until there are calls."""
        events = self._end_of_splitting()
        if self._keeps_thinking:
            self._shows_thinking = True
            events += [event for thought in self._withheld for event in self._write_thought(thought)]
            self._withheld.clear()
            self._withheld_chars = 0
        return events

    def _call(self, fragment: Fragment, extra: JsonObject) -> list[Event]:
        self.chars += len(fragment.name) + len(fragment.arguments)
        if fragment.id or fragment.name or fragment.arguments:
            return self._writer.call(fragment, extra)
        return []


def _reasoning(delta: JsonObject, size: int) -> _Thought:
    details = _objects(delta.get("reasoning_details"))
    for name in ("reasoning_content", "reasoning"):
        text = delta.get(name)
        if isinstance(text, str) and text:
            return _Thought(text, size, details)
    texts = (detail.get("text") or detail.get("summary") for detail in details)
    return _Thought("".join(text for text in texts if isinstance(text, str)), size, details)


def _parts(content: object) -> Iterator[str | _Thought]:
    """Take a list of parts apart, as Mistral sends them, of which some are thinking."""
    for part in content if isinstance(content, list) else ():
        match part:
            case {"type": "thinking"}:
                text = thinking_text(part)
                yield _Thought(text, len(text), chunk=part)
            case {"text": str(text)} | str(text) if text:
                yield text


def _call_objects(delta: JsonObject) -> Iterator[JsonObject]:
    yield from _objects(delta.get("tool_calls"))
    legacy = delta.get("function_call")
    if isinstance(legacy, dict) and legacy:
        yield {"function": legacy, "index": _LEGACY_INDEX}


def _fragment(raw: JsonObject, index: int | None) -> Fragment:
    custom = raw.get("custom")
    function = _object(custom) or _object(raw.get("function"))
    id_, name = raw.get("id"), function.get("name")
    return Fragment(
        index=index,
        id=id_ if isinstance(id_, str) and id_ not in _NO_IDS else "",
        name=name if isinstance(name, str) else "",
        arguments=_argument_text(function.get("input" if custom else "arguments")),
        is_custom=bool(custom),
    )


def _plain_fragment(call: PlainCall) -> Fragment:
    function = call.function or _NO_FUNCTION
    id_ = call.id or ""
    return Fragment(
        call.index,
        "" if id_ in _NO_IDS else id_,
        function.name or "",
        function.arguments or "",
        is_custom=False,
    )


def _argument_text(value: object) -> str:
    """Return arguments as text; some providers send the object itself."""
    if isinstance(value, str):
        return value
    return "" if value is None else jsontext.dumps(value).decode()


def _index(raw: JsonObject) -> int | None:
    index = raw.get("index")
    return index if isinstance(index, int) and not isinstance(index, bool) else None


def _object(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> tuple[JsonObject, ...]:
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()
