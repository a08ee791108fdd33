"""Reads a stream of Gemini chunks, each of them an answer in the shape of a whole one.

The stream has no sign of its end but the end of its bytes, which counts when a finish reason came before: some
models give one with every chunk. What goes wrong after a finish reason no longer matters.
"""

from ucr import jsontext, sse
from ucr.dialects import faults
from ucr.dialects.gemini.assembly import Assembly
from ucr.dialects.openai_chat import errors
from ucr.dialects.roles import Context
from ucr.errors import UpstreamError
from ucr.events import Event, Failed
from ucr.jsontext import JsonError

_DONE = b"[DONE]"
"""What some servers send at the end, as in the chat dialect."""


class GeminiStreamDecoder:
    """A `StreamDecoder`: every failure is a `Failed` event, and nothing is raised."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._splitter = sse.Splitter()
        self._assembly = Assembly(context)
        self._is_over = False

    @property
    def is_finishing(self) -> bool:
        """True between the finish reason and the end; `close` then ends the answer properly."""
        return self._assembly.is_finishing and not self._is_over

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes; return the events completed by them."""
        if self._is_over:
            return []
        lines = self._splitter.data_lines(data)
        if lines is not None:
            return self._read(lines)
        try:
            blocks = self._splitter.feed(data)
        except sse.SseError as error:
            return self._fail(self._unreadable(str(error)))
        events: list[Event] = []
        for block in blocks:
            events += self._block(block)
        return events

    def close(self) -> list[Event]:
        """Say that the bytes are at their end: what is left is read, and the answer ends or fails."""
        if self._is_over:
            return []
        try:
            rest = self._splitter.close()
        except sse.SseError as error:
            return self._fail(self._unreadable(str(error)))
        if not self._assembly.is_started and rest.lstrip()[:1] in (b"{", b"[", b"<"):
            return self._fail(self._no_stream(rest))
        events = self._block(rest) if _is_whole(rest) else []
        return events if self._is_over else [*events, *self._end()]

    def _block(self, block: bytes) -> list[Event]:
        if self._is_over:
            return []
        try:
            event = sse.parse(block)
        except sse.SseError as error:
            return self._fail(self._unreadable(str(error)))
        return [] if event is None else self._read([event.data.encode()])

    def _read(self, texts: list[bytes]) -> list[Event]:
        events: list[Event] = []
        for text in texts:
            try:
                events += self._chunk(text)
            except UpstreamError as error:
                events += self._fail(error)
            if self._is_over:
                break
        return events

    def _chunk(self, text: bytes) -> list[Event]:
        if text.strip() in (b"", _DONE):
            return []
        try:
            chunk = jsontext.loads(text)
        except JsonError as broken:
            raise self._unreadable(f"an event is not JSON: {broken}") from None
        if isinstance(chunk, list) and chunk:
            chunk = chunk[0]
        if not isinstance(chunk, dict):
            return []
        error = errors.error_in(chunk, self._context)
        if error is not None:
            raise error
        events = self._assembly.read(chunk)
        failure = self._assembly.failure()
        if failure is not None:
            self._is_over = True
            events.append(Failed(failure))
        return events

    def _end(self) -> list[Event]:
        self._is_over = True
        if not self._assembly.is_finishing:
            return [Failed(faults.cut_short(self._context.provider))]
        try:
            return self._assembly.end()
        except UpstreamError as error:
            return [Failed(error)]

    def _fail(self, error: UpstreamError) -> list[Event]:
        if self._assembly.is_finishing:
            return self._end()
        self._is_over = True
        return [Failed(error)]

    def _no_stream(self, body: bytes) -> UpstreamError:
        """Read a body that is no stream although its head said so; it is an error, mostly."""
        try:
            value = jsontext.loads(body)
        except JsonError:
            value = None
        found = value[0] if isinstance(value, list) and value else value
        error = errors.error_in(found, self._context) if isinstance(found, dict) else None
        return error or faults.unreadable(self._context.provider, "sent no event stream", body)

    def _unreadable(self, why: str) -> UpstreamError:
        return faults.unreadable(self._context.provider, f"sent a stream that cannot be read: {why}")


def _is_whole(rest: bytes) -> bool:
    """True when an event is whole but for its blank line: half an event is not to be read as broken JSON."""
    try:
        event = sse.parse(rest)
        return event is not None and jsontext.loads(event.data.encode()) is not None
    except (sse.SseError, JsonError):
        return False
