"""Reads a stream of chat-completion chunks.

A finish reason does not end the answer: the usage may follow it in a chunk of its own. The answer ends with
the first usage after the finish reason, with `[DONE]`, or with the end of the bytes; what goes wrong after a
finish reason no longer matters. `[DONE]` alone ends an answer, too, since some providers give no finish
reason; the end of the bytes alone does not. Of several choices only the first is read.
"""

from ucr import jsontext, sse
from ucr.dialects.openai_chat import errors
from ucr.dialects.openai_chat.assembly import Assembly
from ucr.dialects.openai_chat.plain import PlainChunk, plain_chunk
from ucr.dialects.openai_chat.usage import plain_usage_of
from ucr.dialects.roles import Context
from ucr.dialects.sse_decoder import DONE, SseDecoder
from ucr.errors import UpstreamError
from ucr.events import BlockDelta, Event
from ucr.jsontext import JsonError, JsonObject


class ChatStreamDecoder(SseDecoder):
    """A `StreamDecoder`: every failure is a `Failed` event, and nothing is raised."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._assembly = Assembly(context, in_pieces=True)

    def close(self) -> list[Event]:
        self._end_stretch()
        return super().close()

    @property
    def is_finishing(self) -> bool:
        """True between the finish reason and the end; `close` then ends the answer properly."""
        return self._assembly.is_finishing and not self._is_over

    @property
    def usage_is_estimated(self) -> bool:
        """True when the provider counted no output, so that the count is UCR's own estimate."""
        return self._assembly.usage_is_estimated

    @property
    def _has_begun(self) -> bool:
        return self._assembly.is_started

    def _quick(self, data: bytes) -> list[Event] | None:
        stretch = self.stretch
        if stretch is not None:
            if piece := stretch.piece(data):
                return [BlockDelta(stretch.index, stretch.kind(piece))]
            self._end_stretch()
        values = self._splitter.data_lines(data)
        if values is None:
            return None
        events = self._read_lines(values)
        # One block with nothing behind it is likely to be followed by others that come alone.
        if len(values) == 1 and data.endswith(b"\n\n") and not self._is_over:
            reader = self._assembly.reader
            self.stretch = None if reader is None else reader.stretch()
        return events

    def _end_stretch(self) -> None:
        stretch, self.stretch = self.stretch, None
        if stretch is not None and self._assembly.reader is not None:
            self._assembly.reader.went_on(stretch)

    def _read_lines(self, lines: list[bytes]) -> list[Event]:
        """Read blocks that are one line of data each."""
        events: list[Event] = []
        at, end = 0, len(lines)
        assembly = self._assembly
        while at < end and not self._is_over:
            reader, chunk = assembly.reader, None
            if reader is not None and not assembly.is_finishing:
                at, chunk = reader.go_on(lines, at, events)
            if at < end:
                events += self._line(lines[at], chunk)
                at += 1
        return events

    def _line(self, line: bytes, chunk: PlainChunk | None) -> list[Event]:
        if line == DONE:
            return self._end()
        chunk = chunk or plain_chunk(line)
        try:
            if chunk is not None and (chunk.id or self._assembly.is_started):
                return self._plain(chunk, len(line))
            return self._data(line, len(line))
        except UpstreamError as error:
            return self._fail(error)

    def _plain(self, chunk: PlainChunk, size: int) -> list[Event]:
        """Read a chunk as `_chunk` does, without looking for what it cannot have."""
        assembly = self._assembly
        was_finishing = assembly.is_finishing
        counted = None if chunk.usage is None else plain_usage_of(chunk.usage)
        if counted is not None:
            assembly.note_counters(counted)
        events: list[Event] = []
        for choice in chunk.choices:
            error = assembly.note_finish(choice.finish_reason) if choice.finish_reason else None
            if error is not None and not assembly.is_started:
                return self._fail(error)
            events = assembly.read_plain(chunk, choice.delta, size)
            if error is not None:
                return [*events, *self._fail(error)]
        return [*events, *self._end()] if was_finishing and counted is not None else events

    def _block(self, block: bytes) -> list[Event]:
        event = sse.parse(block)
        if event is None:
            return []
        return self._data(event.data.encode(), len(block), is_error=event.name == "error")

    def _data(self, data: bytes, size: int, *, is_error: bool = False) -> list[Event]:
        if data.strip() in (b"", DONE):
            return self._end() if data.strip() else []
        try:
            chunk = jsontext.loads(data)
        except JsonError as error:
            return self._fail(self._unreadable(f"an event is not JSON: {error}"))
        if isinstance(chunk, list) and chunk:
            chunk = chunk[0]
        return self._chunk(chunk, size, is_error=is_error) if isinstance(chunk, dict) else []

    def _chunk(self, chunk: JsonObject, size: int, *, is_error: bool) -> list[Event]:
        was_finishing = self._assembly.is_finishing
        has_usage = self._assembly.note_usage(chunk)
        error = errors.error_in(chunk, self._context, is_error=is_error)
        if error is not None:
            return self._fail(error)
        choice = _first_choice(chunk)
        events = [] if choice is None else self._choice(chunk, choice, size)
        if was_finishing and has_usage and not self._is_over:
            events += self._end()
        return events

    def _choice(self, chunk: JsonObject, choice: JsonObject, size: int) -> list[Event]:
        error = errors.error_in(choice, self._context)
        error = error or self._assembly.note_finish(choice.get("finish_reason"))
        if error is not None and not self._assembly.is_started:
            return self._fail(error)
        delta = choice.get("delta")
        events = self._assembly.read(chunk, delta if isinstance(delta, dict) else {}, size)
        return events if error is None else [*events, *self._fail(error)]

    def _end(self) -> list[Event]:
        if not self._assembly.is_started:
            return self._fail(self._unreadable("no answer is in it"))
        self._is_over = True
        return self._assembly.end()

    def _fail(self, error: UpstreamError) -> list[Event]:
        return self._end() if self._assembly.is_finishing else super()._fail(error)


def _first_choice(chunk: JsonObject) -> JsonObject | None:
    choices = chunk.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and choice.get("index", 0) in (0, None):
            return choice
    return None
