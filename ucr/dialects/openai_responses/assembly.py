"""One Responses answer being put together: its start, its output items, and its end with stop reason and usage.

How this works: an event names its item by `output_index`; its id may be another one in each event (Copilot), and
stands in only for an index that is missing. What a delta has said a `done` event does not say again; what came
without deltas is read from the `done` event of the part, or else of the item. The state of reasoning is read from
its `output_item.done`, as the one that was added may be incomplete.

A client that wants no thinking gets none, except what the provider wants back beside the calls of the same answer:
that stands, without its text, in front of the first of them.
"""

from msgspec import Struct

from ucr.dialects import faults
from ucr.dialects.openai_chat.assembly import known_id
from ucr.dialects.openai_chat.blocks import BlockWriter
from ucr.dialects.openai_chat.call import Fragment
from ucr.dialects.openai_chat.delta import HELD_LIMIT_CHARS
from ucr.dialects.openai_chat.source import object_of, objects_of, text_of
from ucr.dialects.openai_chat.usage import estimated
from ucr.dialects.openai_responses.items import state_of
from ucr.dialects.openai_responses.usage import usage_of
from ucr.dialects.roles import Context
from ucr.events import (
    Event,
    MessageDelta,
    MessageStart,
    MessageStop,
    StopReason,
    TextDelta,
    ThinkingDelta,
    Usage,
)
from ucr.jsontext import JsonObject

CALLS = frozenset({"function_call", "custom_tool_call"})
SEPARATOR = "\n\n"

Part = tuple[str, int]
"""A part of an item: whether it is `text`, `summary`, `reasoning` or `input`, and its number."""


class _Item(Struct):
    """What is known of an item: which of its parts were said, and which of them last; a call stays a call."""

    index: int
    kind: str
    said: set[Part]
    last: Part | None = None
    is_done: bool = False


class Assembly:
    """What is known of the answer so far. `in_pieces` is False for a whole answer."""

    def __init__(self, context: Context, *, in_pieces: bool) -> None:
        self._context = context
        self._in_pieces = in_pieces
        self._writer = BlockWriter(context.provider, "", context.names, in_pieces=in_pieces)
        self._items: dict[int, _Item] = {}
        self._ids: dict[str, int] = {}
        self._last: _Item | None = None
        self._withheld: list[tuple[JsonObject, int]] = []
        self._withheld_chars = 0
        self._is_refused = False
        self._chars = 0
        self.is_started = False

    @property
    def has_items(self) -> bool:
        return bool(self._items)

    def start(self, response: JsonObject) -> list[Event]:
        """Begin the message with the first event of a response; later ones change nothing."""
        if self.is_started:
            return []
        self.is_started = True
        id_ = known_id(text_of(response.get("id")) or "resp")
        seed = f"{id_} {self._context.input_estimate}"
        context = self._context
        self._writer = BlockWriter(context.provider, seed, context.names, in_pieces=self._in_pieces)
        return [MessageStart(id_, context.model_asked, Usage(input_tokens=context.input_estimate))]

    def added(self, value: JsonObject) -> list[Event]:
        """Take an item that begins."""
        item = object_of(value.get("item"))
        return self._open(self._index(value, item.get("id"), is_new=True), item)

    def delta(self, value: JsonObject, part: Part, text: str) -> list[Event]:
        """Take a piece of a part of an item."""
        return self.piece(self._index(value, value.get("item_id")), part, text)

    def piece(self, index: int, part: Part, text: str) -> list[Event]:
        """Take a piece of a part of the item with this index; nearly always of the part that is being said."""
        item = self._items.get(index)
        if item is not None and item.last == part and text and part[0] == "text":
            self._chars += len(text)
            events = self._writer.add(TextDelta, text)
            if not events:  # it waits for its turn
                self._check_held()
            return events
        events = [] if self.is_started else self.start({})
        if item is None:
            kind = {"text": "message", "input": "function_call"}.get(part[0], "reasoning")
            events += self._open(index, {"type": kind})
            item = self._items[index]
        return events + self._say(item, part, text) if text else events

    def part_done(self, value: JsonObject, part: Part, text: str) -> list[Event]:
        """Take a whole part of an item, of which nothing may have been said before."""
        item = self._items.get(self._index(value, value.get("item_id")))
        if item is not None and part in item.said:
            return []
        return self.delta(value, part, text)

    def done(self, value: JsonObject) -> list[Event]:
        """Take a whole item, parts of which may have been said before."""
        whole = object_of(value.get("item"))
        index = self._index(value, whole.get("id"))
        events = self._open(index, whole) if index not in self._items else []
        item = self._items[index]
        if item.is_done:
            return events
        item.is_done = True
        for part, text in _parts(whole):
            if text and part not in item.said:
                events += self._say(item, part, text)
        if any(part.get("type") == "refusal" for part in objects_of(whole.get("content"))):
            self._is_refused = True
        if item.kind == "reasoning" and (state := state_of(whole)) is not None:
            self._keep(*state)
        return events

    def refuse(self) -> None:
        """Say that what is being said is a refusal."""
        self._is_refused = True

    def end(self, response: JsonObject) -> list[Event]:
        """Write the end of the message."""
        events = self.start(response)
        incomplete = text_of(object_of(response.get("incomplete_details")).get("reason"))
        reason = self._reason(incomplete)
        events += self._writer.finish(is_cut=reason not in ("end_turn", "tool_use"))
        counted = usage_of(response.get("usage")) or Usage()
        is_estimated = counted.output_tokens is None
        usage = Usage(output_tokens=estimated(self._chars)).updated(counted)
        return [*events, MessageDelta(reason, usage, is_estimated=is_estimated), MessageStop()]

    def _reason(self, incomplete: str) -> StopReason:
        if incomplete == "max_output_tokens":
            return "max_tokens"
        if incomplete == "content_filter":
            return "refusal"
        if self._writer.has_calls:
            return "tool_use"
        return "refusal" if self._is_refused else "end_turn"

    def _index(self, value: JsonObject, id_: object, *, is_new: bool = False) -> int:
        """Return the index of the item that an event is about: its own, that of its id, or else the last one."""
        index = value.get("output_index")
        if type(index) is int:
            found = index
        elif isinstance(id_, str) and id_ in self._ids:
            found = self._ids[id_]
        elif is_new or self._last is None or self._last.is_done:
            found = max(self._items, default=-1) + 1
        else:
            found = self._last.index
        if isinstance(id_, str) and is_new:
            self._ids[id_] = found
        return found

    def _open(self, index: int, item: JsonObject) -> list[Event]:
        events = [] if self.is_started else self.start({})
        if index in self._items:
            return events
        kind = text_of(item.get("type"))
        self._last = self._items[index] = _Item(index, kind, set())
        if kind in CALLS:
            fragment = Fragment(
                index,
                text_of(item.get("call_id")),
                text_of(item.get("name")),
                is_custom=kind == "custom_tool_call",
            )
            events += [*self._before_call(), *self._writer.call(fragment, {})]
        elif kind == "message":
            events += self._writer.begin(TextDelta)
        elif kind == "reasoning" and self._context.thinking_wanted:
            events += self._writer.begin(ThinkingDelta)
        self._check_held()
        return events

    def _say(self, item: _Item, part: Part, text: str) -> list[Event]:
        is_first, is_next = item.last is None, item.last != part
        if is_next:
            item.last = part
            item.said.add(part)
        self._chars += len(text)
        match part[0]:
            case "text":
                events = self._writer.add(TextDelta, text)
            case "input":
                is_custom = item.kind == "custom_tool_call"
                events = self._writer.call(Fragment(item.index, arguments=text, is_custom=is_custom), {})
            case _ if self._context.thinking_wanted:
                events = self._writer.add(ThinkingDelta, text if is_first or not is_next else SEPARATOR + text)
            case _:
                events = []
        self._check_held()
        return events

    def _keep(self, state: JsonObject, size: int) -> None:
        """Keep the state of reasoning with its block, or for the calls that may follow."""
        if self._context.thinking_wanted:
            self._writer.thoughts(size).add_item(state)
        else:
            self._withheld.append((state, size))
            self._withheld_chars += size
        self._check_held()

    def _before_call(self) -> list[Event]:
        events: list[Event] = []
        for state, size in self._withheld:
            events += self._writer.begin(ThinkingDelta)
            self._writer.thoughts(size).add_item(state)
        self._withheld.clear()
        self._withheld_chars = 0
        return events

    def _check_held(self) -> None:
        if self._writer.held_chars + self._withheld_chars > HELD_LIMIT_CHARS:
            raise faults.unreadable(self._context.provider, "sent more reasoning or tool input than UCR keeps")


def _parts(whole: JsonObject) -> list[tuple[Part, str]]:
    """Return the parts of a whole item with their texts."""
    kind = text_of(whole.get("type"))
    if kind in CALLS:
        given = whole.get("input" if kind == "custom_tool_call" else "arguments")
        return [(("input", 0), text_of(given))]
    family = {"message": "text", "reasoning": "reasoning"}.get(kind)
    if family is None:
        return []
    summaries = enumerate(objects_of(whole.get("summary")))
    contents = enumerate(objects_of(whole.get("content")))
    said = [(("summary", number), text_of(part.get("text"))) for number, part in summaries]
    return said + [
        ((family, number), text_of(part.get("text")) or text_of(part.get("refusal")))
        for number, part in contents
    ]
