"""Reads a stream of lines, each of them an answer in the shape of a whole one.

The line with `done` ends the answer. An error may come as a line of its own, after the status has said 200.
"""

from ucr import jsontext
from ucr.dialects import faults
from ucr.dialects.ollama.assembly import Assembly
from ucr.dialects.openai_chat import errors
from ucr.dialects.roles import Context
from ucr.errors import UpstreamError
from ucr.events import Event, Failed
from ucr.jsontext import JsonError
from ucr.ndjson import LineSplitter, NdjsonError


class OllamaStreamDecoder:
    """A `StreamDecoder`: every failure is a `Failed` event, and nothing is raised."""

    stretch = None

    def __init__(self, context: Context) -> None:
        self._context = context
        self._splitter = LineSplitter()
        self._assembly = Assembly(context)
        self._is_over = False

    @property
    def is_finishing(self) -> bool:
        """False always: the counters come with the end."""
        return False

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes; return the events completed by them."""
        if self._is_over:
            return []
        try:
            lines = self._splitter.feed(data)
        except NdjsonError as error:
            return self._fail(self._unreadable(str(error)))
        return self._read(lines)

    def close(self) -> list[Event]:
        """Say that the bytes are at their end: what is left is read, and the answer has ended or fails."""
        if self._is_over:
            return []
        try:
            rest = self._splitter.close()
        except NdjsonError as error:
            return self._fail(self._unreadable(str(error)))
        events = self._read([rest]) if _is_whole(rest) or not self._assembly.is_started else []
        return events if self._is_over else [*events, *self._fail(faults.cut_short(self._context.provider))]

    def _read(self, lines: list[bytes]) -> list[Event]:
        events: list[Event] = []
        for line in lines:
            try:
                events += self._line(line)
            except UpstreamError as error:
                events += self._fail(error)
            if self._is_over:
                break
        return events

    def _line(self, line: bytes) -> list[Event]:
        if not line.strip():
            return []
        try:
            value = jsontext.loads(line)
        except JsonError as broken:
            raise self._unreadable(f"a line is not JSON: {broken}") from None
        if not isinstance(value, dict):
            return []
        error = errors.error_in(value, self._context)
        if error is not None:
            raise error
        events = self._assembly.read(value)
        if not self._assembly.is_done:
            return events
        self._is_over = True
        return [*events, *self._assembly.end()]

    def _fail(self, error: UpstreamError) -> list[Event]:
        self._is_over = True
        return [Failed(error)]

    def _unreadable(self, why: str) -> UpstreamError:
        return faults.unreadable(self._context.provider, f"sent a stream that cannot be read: {why}")


def _is_whole(rest: bytes) -> bool:
    """True when a line is whole but for its LF: half a line is not to be read as broken JSON."""
    try:
        return isinstance(jsontext.loads(rest), dict)
    except JsonError:
        return False
