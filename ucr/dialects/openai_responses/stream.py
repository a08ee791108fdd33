"""Reads a stream of Responses events.

The answer ends with `response.completed` or `response.incomplete`, which bring the usage. Events of other kinds,
those of tools that run at the provider among them, mean nothing here and are left out.
"""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct
from msgspec.json import Decoder

from ucr import jsontext, sse
from ucr.dialects.openai_chat.source import object_of, text_of
from ucr.dialects.openai_responses import errors
from ucr.dialects.openai_responses.assembly import Assembly, Part
from ucr.dialects.roles import Context
from ucr.dialects.sse_decoder import SseDecoder
from ucr.errors import UpstreamError
from ucr.events import Event
from ucr.jsontext import JsonError, JsonObject

_DELTAS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "response.output_text.delta": ("text", "content_index"),
        "response.refusal.delta": ("text", "content_index"),
        "response.reasoning_summary_text.delta": ("summary", "summary_index"),
        "response.reasoning_text.delta": ("reasoning", "content_index"),
        "response.function_call_arguments.delta": ("input", ""),
        "response.custom_tool_call_input.delta": ("input", ""),
    }
)
_DONE: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "response.output_text.done": ("text", "content_index", "text"),
        "response.refusal.done": ("text", "content_index", "refusal"),
        "response.reasoning_summary_text.done": ("summary", "summary_index", "text"),
        "response.reasoning_text.done": ("reasoning", "content_index", "text"),
        "response.function_call_arguments.done": ("input", "", "arguments"),
        "response.custom_tool_call_input.done": ("input", "", "input"),
    }
)
"""The events that hold a part of an item, or a piece of one: which part it is, its number, and its text."""

_BEGINNINGS = frozenset({"response.created", "response.queued", "response.in_progress"})
_ENDS = frozenset({"response.completed", "response.incomplete"})
_LAST = "[DONE]"


class _Delta(Struct, frozen=True, gc=False):
    """A piece of a part, as nearly all events are; the rest of it is checked and skipped."""

    delta: str
    output_index: int
    content_index: int = 0
    summary_index: int = 0


_TYPED = Decoder(_Delta)
_NAMED: Mapping[bytes, str] = MappingProxyType(
    {b"event: " + name.encode(): family for name, (family, _) in _DELTAS.items() if "refusal" not in name}
)


class ResponsesStreamDecoder(SseDecoder):
    """A `StreamDecoder`: every failure is a `Failed` event, and nothing is raised."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._assembly = Assembly(context, in_pieces=True)

    @property
    def is_finishing(self) -> bool:
        """False always: the event that ends an answer brings its usage."""
        return False

    @property
    def _has_begun(self) -> bool:
        return self._assembly.is_started

    def _quick(self, data: bytes) -> list[Event] | None:
        pairs = self._splitter.named_lines(data)
        return None if pairs is None else self._read_pairs(pairs)

    def _read_pairs(self, pairs: list[tuple[bytes, bytes]]) -> list[Event]:
        """Read blocks that are a name and one line of data each; nearly all hold a piece of a part."""
        events: list[Event] = []
        for name, line in pairs:
            if self._is_over:
                break
            family = _NAMED.get(name)
            piece = None if family is None else _typed(line)
            if family is None or piece is None:
                events += self._read([b"%b\n%b\n\n" % (name, line)])
                continue
            number = piece.summary_index if family == "summary" else piece.content_index
            try:
                events += self._assembly.piece(piece.output_index, (family, number), piece.delta)
            except UpstreamError as error:
                events += self._fail(error)
        return events

    def _block(self, block: bytes) -> list[Event]:
        event = sse.parse(block)
        if event is None or event.data.strip() in ("", _LAST):
            return []
        try:
            value = jsontext.loads_text(event.data)
        except JsonError as error:
            return self._fail(self._unreadable(f"an event is not JSON: {error}"))
        if not isinstance(value, dict):
            return []
        kind = value.get("type")
        return self._event(kind if isinstance(kind, str) else event.name or "", value)

    def _event(self, kind: str, value: JsonObject) -> list[Event]:
        if kind in _DELTAS:
            return self._delta(kind, value)
        if kind in _DONE:
            family, number, field = _DONE[kind]
            if field == "refusal":
                self._assembly.refuse()
            return self._assembly.part_done(value, _part(family, number, value), text_of(value.get(field)))
        if kind == "response.output_item.added":
            return self._assembly.added(value)
        if kind == "response.output_item.done":
            return self._assembly.done(value)
        if kind in _ENDS:
            return self._end(object_of(value.get("response")))
        if kind in _BEGINNINGS:
            return self._assembly.start(object_of(value.get("response")))
        if kind in errors.FAILED or (not kind and value.get("error")):
            return self._fail(errors.error_of(value, self._context))
        return []

    def _delta(self, kind: str, value: JsonObject) -> list[Event]:
        family, number = _DELTAS[kind]
        if kind == "response.refusal.delta":
            self._assembly.refuse()
        return self._assembly.delta(value, _part(family, number, value), text_of(value.get("delta")))

    def _end(self, response: JsonObject) -> list[Event]:
        """Read the end, and the output in it where none of it has come before."""
        events: list[Event] = self._assembly.start(response)
        if not self._assembly.has_items:
            events += read_output(self._assembly, response)
        self._is_over = True
        return [*events, *self._assembly.end(response)]


def read_output(assembly: Assembly, response: JsonObject) -> list[Event]:
    """Read the items of a whole response."""
    output = response.get("output")
    items = output if isinstance(output, list) else []
    events: list[Event] = []
    for index, item in enumerate(items):
        if isinstance(item, dict):
            events += assembly.done({"output_index": index, "item": item})
    return events


def _part(family: str, number: str, value: JsonObject) -> Part:
    found = value.get(number)
    return family, found if type(found) is int else 0


def _typed(line: bytes) -> _Delta | None:
    """Read a line of data that holds a piece; None for one that must be looked at more closely."""
    if not line.startswith(b"data: "):
        return None
    try:
        return _TYPED.decode(line[6:])
    except (ValueError, RecursionError):
        return None
