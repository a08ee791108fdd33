"""One answer being put together: its start, its content, and its end with stop reason and usage."""

import re

from ucr import jsontext
from ucr.dialects import faults, tool_ids
from ucr.dialects.openai_chat import stop, usage
from ucr.dialects.openai_chat.delta import DeltaReader
from ucr.dialects.openai_chat.plain import PlainChunk, PlainDelta
from ucr.dialects.roles import Context
from ucr.errors import UpstreamError
from ucr.events import Event, MessageDelta, MessageStart, MessageStop, Usage
from ucr.jsontext import JsonObject

_FOREIGN = re.compile(r"[^a-zA-Z0-9_-]")
_ID_CHARS = 100


class Assembly:
    """What is known of the answer so far. `in_pieces` is False for a whole answer; `reader` comes with its start.

    `is_finishing` is True once the provider has said why it stopped.
    """

    def __init__(self, context: Context, *, in_pieces: bool) -> None:
        self._context = context
        self._in_pieces = in_pieces
        self.reader: DeltaReader | None = None
        self._usage = Usage()
        self._finish: str | None = None
        self.is_finishing = False

    @property
    def is_started(self) -> bool:
        return self.reader is not None

    @property
    def usage_is_estimated(self) -> bool:
        """True while the provider has counted no output."""
        return self._usage.output_tokens is None

    def note_usage(self, chunk: JsonObject) -> bool:
        """Take the usage of a chunk, which replaces what an earlier one said; False when it has none."""
        counted = usage.chunk_usage(chunk)
        if counted is not None:
            self.note_counters(counted)
        return counted is not None

    def note_counters(self, counted: Usage) -> None:
        """Take counters, which replace what earlier ones said."""
        self._usage = self._usage.updated(counted)

    def read(self, chunk: JsonObject, delta: JsonObject, size: int) -> list[Event]:
        """Take a delta of a chunk; the first one starts the message."""
        if self.reader is not None:
            return self.reader.read(delta, size)
        start, reader = self._start(_message_id(chunk))
        return [start, *reader.read(delta, size)]

    def read_plain(self, chunk: PlainChunk, delta: PlainDelta, size: int) -> list[Event]:
        """Take a delta of a plain chunk, whose `id` must not be empty, as `read` does."""
        if self.reader is not None:
            return self.reader.read_plain(delta, size)
        start, reader = self._start(known_id(chunk.id))
        return [start, *reader.read_plain(delta, size)]

    def _start(self, message_id: str) -> tuple[MessageStart, DeltaReader]:
        seed = f"{message_id} {self._context.input_estimate}"
        self.reader = DeltaReader(self._context, seed, in_pieces=self._in_pieces)
        told = self._usage
        counted = self._context.input_estimate if told.input_tokens is None else told.input_tokens
        begun = Usage(counted, None, told.cache_read_tokens, told.cache_creation_tokens)
        return MessageStart(message_id, self._context.model_asked, begun), self.reader

    def note_finish(self, reason: object) -> UpstreamError | None:
        """Take a finish reason, of which the first counts; return the error that it stands for, if it does."""
        if not isinstance(reason, str) or not reason or self._finish is not None:
            return None
        if reason in stop.FAILURES:
            words = f"provider '{self._context.provider}' stopped with finish reason '{reason}'"
            return faults.upstream_error(self._context.provider, 500, words, code=reason)
        self._finish, self.is_finishing = reason, True
        return None

    def end(self) -> list[Event]:
        """Write the end of the message; it must have started."""
        assert self.reader is not None
        has_calls, is_refused = self.reader.has_calls, self.reader.is_refused
        reason = stop.stop_reason(self._finish, has_calls=has_calls, is_refused=is_refused)
        is_cut = reason not in ("end_turn", "tool_use")
        events = self.reader.finish(is_cut=is_cut)
        counted, is_estimated = self._usage, self.usage_is_estimated
        if is_estimated:
            counted = Usage(output_tokens=usage.estimated(self.reader.chars)).updated(counted)
        return [*events, MessageDelta(reason, counted, is_estimated=is_estimated), MessageStop()]


def _message_id(chunk: JsonObject) -> str:
    """Return the id for clients, or one that is minted from the chunk."""
    id_ = chunk.get("id")
    if isinstance(id_, str) and id_:
        return known_id(id_)
    return "msg_" + tool_ids.mint(jsontext.dumps(chunk).decode()).removeprefix("toolu_")


def known_id(id_: str) -> str:
    """Return the provider's id in a form that every client takes."""
    return "msg_" + _FOREIGN.sub("_", id_.removeprefix("msg_"))[:_ID_CHARS]
