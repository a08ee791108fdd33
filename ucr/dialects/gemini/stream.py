"""Reads a stream of Gemini chunks, each of them an answer in the shape of a whole one.

The stream has no sign of its end but the end of its bytes, which counts when a finish reason came before: some
models give one with every chunk. What goes wrong after a finish reason no longer matters.
"""

from ucr import jsontext, sse
from ucr.dialects import faults
from ucr.dialects.gemini.assembly import Assembly
from ucr.dialects.openai_chat import errors
from ucr.dialects.roles import Context
from ucr.dialects.sse_decoder import DONE, SseDecoder
from ucr.errors import UpstreamError
from ucr.events import Event, Failed
from ucr.jsontext import JsonError


class GeminiStreamDecoder(SseDecoder):
    """A `StreamDecoder`: every failure is a `Failed` event, and nothing is raised."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._assembly = Assembly(context)

    @property
    def is_finishing(self) -> bool:
        """True between the finish reason and the end; `close` then ends the answer properly."""
        return self._assembly.is_finishing and not self._is_over

    @property
    def _has_begun(self) -> bool:
        return self._assembly.is_started

    def _quick(self, data: bytes) -> list[Event] | None:
        lines = self._splitter.data_lines(data)
        return None if lines is None else self._read_texts(lines)

    def _block(self, block: bytes) -> list[Event]:
        event = sse.parse(block)
        return [] if event is None else self._chunk(event.data.encode())

    def _read_texts(self, texts: list[bytes]) -> list[Event]:
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
        if text.strip() in (b"", DONE):
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

    def _end_of_bytes(self) -> list[Event]:
        """End the answer, if a finish reason came before."""
        self._is_over = True
        if not self._assembly.is_finishing:
            return [Failed(faults.cut_short(self._context.provider))]
        try:
            return self._assembly.end()
        except UpstreamError as error:
            return [Failed(error)]

    def _fail(self, error: UpstreamError) -> list[Event]:
        return self._end_of_bytes() if self._assembly.is_finishing else super()._fail(error)
