"""What the decoders of all streams of server-sent events have in common: how bytes become blocks, and how a stream ends.

How this works. A dialect says what a block means (`_block`), how it reads the blocks of its usual form at once (`_quick`),
and what the end of the bytes comes to (`_end_of_bytes`). Everything that is wrong with the bytes is a `Failed` event.
"""

from ucr import jsontext, sse
from ucr.dialects import faults
from ucr.dialects.openai_chat.errors import error_in
from ucr.dialects.roles import Context, Stretch
from ucr.errors import UpstreamError
from ucr.events import Event, Failed
from ucr.jsontext import JsonError

DONE = b"[DONE]"


class SseDecoder:
    """The beginning of a `StreamDecoder`: every failure is a `Failed` event, and nothing is raised."""

    stretch: Stretch | None = None

    def __init__(self, context: Context) -> None:
        self._context = context
        self._splitter = sse.Splitter()
        self._is_over = False

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes; return the events completed by them."""
        if self._is_over:
            return []
        events = self._quick(data)
        if events is not None:
            return events
        try:
            blocks = self._splitter.feed(data)
        except sse.SseError as error:
            return self._fail(self._unreadable(str(error)))
        return self._read(blocks)

    def close(self) -> list[Event]:
        """Say that the bytes are at their end: what is left is read, and the answer ends or fails."""
        if self._is_over:
            return []
        try:
            rest = self._splitter.close()
        except sse.SseError as error:
            return self._fail(self._unreadable(str(error)))
        if not self._has_begun and rest.lstrip()[:1] in (b"{", b"[", b"<"):
            return self._fail(self._no_stream(rest))
        events = self._read([rest]) if _is_whole(rest) else []
        return events if self._is_over else [*events, *self._end_of_bytes()]

    @property
    def _has_begun(self) -> bool:
        """True when something of an answer was read."""
        raise NotImplementedError

    def _quick(self, data: bytes) -> list[Event] | None:
        """Take bytes whose blocks all have the usual form; None, with nothing taken, for others."""
        raise NotImplementedError

    def _block(self, block: bytes) -> list[Event]:
        """Read one block; may raise `UpstreamError` and `SseError`."""
        raise NotImplementedError

    def _end_of_bytes(self) -> list[Event]:
        """Return what a stream ends in whose end was not said; nearly always that it was cut short."""
        return self._fail(faults.cut_short(self._context.provider))

    def _read(self, blocks: list[bytes]) -> list[Event]:
        events: list[Event] = []
        for block in blocks:
            try:
                events += self._block(block)
            except UpstreamError as error:
                events += self._fail(error)
            except sse.SseError as error:
                events += self._fail(self._unreadable(str(error)))
            if self._is_over:
                break
        return events

    def _fail(self, error: UpstreamError) -> list[Event]:
        self._is_over = True
        return [Failed(error)]

    def _no_stream(self, body: bytes) -> UpstreamError:
        """Read a body that is no stream although its head said so; it is an error, mostly."""
        try:
            value = jsontext.loads(body)
        except JsonError:
            value = None
        found = value[0] if isinstance(value, list) and value else value
        error = error_in(found, self._context) if isinstance(found, dict) else None
        return error or faults.unreadable(self._context.provider, "sent no event stream", body)

    def _unreadable(self, why: str) -> UpstreamError:
        return faults.unreadable(self._context.provider, f"sent a stream that cannot be read: {why}")


def _is_whole(rest: bytes) -> bool:
    """True when an event is whole but for its blank line: half an event is not to be read as broken JSON."""
    try:
        event = sse.parse(rest)
        data = b"" if event is None else event.data.encode().strip()
        return data == DONE or jsontext.loads(data) is not None
    except (sse.SseError, JsonError):
        return False
