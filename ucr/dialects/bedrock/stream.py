"""Reads a stream of Converse's, message by message of Amazon's event stream."""

from ucr import jsontext
from ucr.dialects import faults
from ucr.dialects.bedrock import exceptions
from ucr.dialects.bedrock.assembly import Assembly
from ucr.dialects.bedrock.frames import Frame, FrameError, FrameReader
from ucr.dialects.roles import Context
from ucr.errors import UpstreamError
from ucr.events import Event, Failed
from ucr.jsontext import JsonError


class BedrockStreamDecoder:
    """A `StreamDecoder`: every failure is a `Failed` event, and nothing is raised."""

    stretch = None

    def __init__(self, context: Context) -> None:
        self._context = context
        self._frames = FrameReader()
        self._assembly = Assembly(context)
        self._is_over = False

    @property
    def is_finishing(self) -> bool:
        """True between the reason to stop and the usage; `close` then ends the answer properly."""
        return self._assembly.is_finishing and not self._is_over

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes; return the events completed by them."""
        events: list[Event] = []
        try:
            for frame in [] if self._is_over else self._frames.feed(data):
                events += self._read(frame)
                if self._is_over:
                    break
        except FrameError as error:
            events += self._fail(self._unreadable(str(error)))
        except UpstreamError as error:
            events += self._fail(error)
        return events

    def close(self) -> list[Event]:
        """Say that the bytes are at their end."""
        if self._is_over:
            return []
        try:
            self._frames.close()
        except FrameError as error:
            return self._fail(self._unreadable(str(error)))
        return self._fail(faults.cut_short(self._context.provider))

    def _read(self, frame: Frame) -> list[Event]:
        if frame.exception:
            return self._fail(exceptions.in_stream(self._context.provider, frame))
        try:
            value = jsontext.loads(frame.payload)
        except JsonError:
            value = None
        if not isinstance(value, dict):
            raise self._unreadable("an event is not JSON")
        events = self._assembly.read(frame.event, value)
        return [*events, *self._end()] if self._assembly.is_whole else events

    def _end(self) -> list[Event]:
        self._is_over = True
        try:
            return self._assembly.end()
        except UpstreamError as error:
            return [Failed(error)]

    def _fail(self, error: UpstreamError) -> list[Event]:
        """End in an error, unless the answer was whole but for its counters."""
        if self._assembly.is_finishing:
            return self._end()
        self._is_over = True
        return [Failed(error)]

    def _unreadable(self, why: str) -> UpstreamError:
        return faults.unreadable(self._context.provider, f"sent a stream that cannot be read: {why}")
