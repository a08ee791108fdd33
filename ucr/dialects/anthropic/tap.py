"""The tap on a Messages stream that passes through."""

from collections.abc import Sequence
from itertools import compress

from msgspec import Struct
from msgspec.json import Decoder

from ucr import jsontext, sse
from ucr.dialects import model_name
from ucr.dialects.anthropic import encode, errors, usage
from ucr.dialects.anthropic.strict import Documented
from ucr.dialects.event_tap import EventTap, Splitter, decoded
from ucr.dialects.roles import Context
from ucr.errors import UpstreamError
from ucr.events import Usage
from ucr.jsontext import JsonObject

_INPUT_COUNTERS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_CONTENTS = frozenset(b"event: content_block_" + what for what in (b"start", b"delta", b"stop"))
_DATA = b"data: "


class _Any(Struct, frozen=True, gc=False):
    """An object, of which everything is checked and nothing kept."""


_ANY = Decoder(_Any)


class MessageTap(EventTap):
    """Passes a Messages stream on and reads usage, stop reason and errors from it.

    The commit point is the first block, or the end of a message without any.
    """

    framing_bytes = 120
    lines = 2

    def __init__(self, context: Context, splitter: Splitter | None = None, *, strict: bool) -> None:
        super().__init__(context, splitter)
        self._documented = Documented() if strict else None
        if strict:
            self.lines = 0
        self._is_mapped = context.model_asked != context.model_used
        self._is_opened_early = False
        self._start_positions: list[int] = []
        self._start_counters: JsonObject = {}

    def open_early(self, message_id: str) -> bytes:
        """Return a `message_start` of UCR's own; the true input counters then come with the last delta."""
        if self._is_opened_early or self.is_committed:
            return b""
        self._is_opened_early = True
        for position in self._start_positions:
            self._held[position] = b""
        counters = usage.written_whole(Usage(input_tokens=self._context.input_estimate))
        return encode.message_start(message_id, self._context.model_asked, counters)

    def _contents(self, columns: list[list[bytes]]) -> Sequence[bool] | None:
        names, datas = columns
        if _CONTENTS.issuperset(names):
            texts = [data[6:] for data in datas if data[:6] == _DATA]
            return (
                [True] * len(texts) if len(texts) == len(datas) and decoded(_ANY, texts) is not None else None
            )
        contents = [name in _CONTENTS and data[:6] == _DATA for name, data in zip(names, datas, strict=True)]
        texts = [data[6:] for data in compress(datas, contents)]
        return contents if decoded(_ANY, texts) is not None else None

    def _event(self, block: bytes, event: sse.SseEvent, value: JsonObject) -> bytes:
        value = value if "type" in value else {**value, "type": event.name}
        if self._documented is not None:
            kept = self._documented.kept(value)
            if kept is None:
                return b""
            if kept is not value:
                value, block = kept, sse.encode(jsontext.dumps(kept), event.name)
        match value["type"]:
            case "message_start":
                return self._start(block, event, value)
            case "content_block_start" | "content_block_delta":
                self._commit()
            case "message_delta":
                return self._message_delta(block, event, value)
            case "message_stop":
                self.is_finished = True
            case "error" if not self.is_finished:
                self._fail(errors.read_event(self._context.provider, value, event.data.encode()), block)
                return b""
        return block

    def _start(self, block: bytes, event: sse.SseEvent, value: JsonObject) -> bytes:
        counters = _object(_object(value.get("message")).get("usage"))
        self._usage = self._usage.updated(usage.read(counters))
        if not self.is_committed:
            self._start_counters = counters
            self._start_positions.append(len(self._held))
        if self._is_opened_early:
            return b""
        if not self._is_mapped:
            return block
        data = model_name.renamed(event.data.encode(), self._context.model_asked, inside="message")
        return self._with_data(block, event, data)

    def _message_delta(self, block: bytes, event: sse.SseEvent, value: JsonObject) -> bytes:
        self._commit()
        counters = _object(value.get("usage"))
        self._usage = self._usage.updated(usage.read(counters))
        reason = _object(value.get("delta")).get("stop_reason")
        self._stop_reason = reason if isinstance(reason, str) else self._stop_reason
        if not self._is_opened_early:
            return block
        known = {key: self._start_counters[key] for key in _INPUT_COUNTERS if key in self._start_counters}
        told = {key: count for key, count in counters.items() if count is not None}
        return sse.encode(jsontext.dumps({**value, "usage": {**known, **told}}), "message_delta")

    def _error_event(self, error: UpstreamError) -> bytes:
        return sse.encode(errors.written(error), "error")


def _object(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}
