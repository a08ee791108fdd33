"""A stream that crosses from a provider's dialect to a client's.

It has the shape of a tap, so that the relay treats a translated stream and one that passes through alike:
bytes in, bytes for the client out, nothing before the commit point.
"""

from typing import TypeAlias, assert_never

from ucr.dialects.roles import ClientDialect, Content, Context, Request, StreamDecoder, Summary
from ucr.errors import ApiError, UpstreamError
from ucr.events import (
    BlockDelta,
    BlockStart,
    BlockStop,
    Delta,
    Event,
    Failed,
    InputJsonDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    StopReason,
    TextDelta,
    ThinkingDelta,
    Usage,
)

_Other: TypeAlias = MessageStart | MessageDelta | MessageStop | Ping | Failed


class Crossing:
    """Decodes, holds back until there is content, and encodes; see `ucr.dialects.roles.Tap`."""

    def __init__(
        self, decoder: StreamDecoder, client: ClientDialect, request: Request, context: Context
    ) -> None:
        self._decoder = decoder
        self._client = client
        self._encoder = client.encoder(request)
        self._context = context
        self._held: list[Event] = []
        self._usage = Usage()
        self._stop_reason: StopReason | None = None
        self._is_estimated = False
        self.content = Content()
        self.is_committed = False
        self.is_finished = False
        self.is_finishing = False
        self.is_at_boundary = True
        self.failure: UpstreamError | None = None

    @property
    def summary(self) -> Summary:
        return Summary(self._usage, self._stop_reason, self._is_estimated)

    def feed(self, data: bytes) -> bytes:
        """Take the provider's bytes; return the client's."""
        stretch = self._decoder.stretch
        if stretch is not None and (piece := stretch.piece(data)):
            self.content.events += 1
            self.content.chars += len(piece)
            return self._encoder.encode(BlockDelta(stretch.index, stretch.kind(piece)))
        try:
            events = self._decoder.feed(data)
        except UpstreamError as error:
            events = [Failed(error)]
        return self._take(events)

    def close(self) -> bytes:
        """Take the end of the provider's bytes; a stream cut short becomes an error for the client."""
        try:
            events = self._decoder.close()
        except UpstreamError as error:
            events = [Failed(error)]
        return self._take(events)

    def open_early(self, message_id: str) -> bytes:
        """Open the client's stream before the provider has; b"" for a client that needs no opening.

        The encoder leaves out the opening that comes later.
        """
        if not self._client.opens_early:
            return b""
        usage = Usage(input_tokens=self._context.input_estimate, output_tokens=0)
        return self._encoder.encode(MessageStart(message_id, self._context.model_asked, usage))

    def _take(self, events: list[Event]) -> bytes:
        """Note and write events; most are deltas of a stream that has begun."""
        written: list[bytes] = []
        for event in events:
            if self.is_finished or self.failure is not None:
                break
            if isinstance(event, BlockDelta):
                self.is_committed = True
                self._count(event.delta)
            elif isinstance(event, (BlockStart, BlockStop)):
                self.is_committed = True
                self.content.events += 1
            else:
                self._note(event)
            if self.is_committed:
                if self._held:
                    written += map(self._encoder.encode, self._held)
                    self._held.clear()
                written.append(self._encoder.encode(event))
        self.is_finishing = self._decoder.is_finishing
        return b"".join(written)

    def _count(self, delta: Delta) -> None:
        """Count the content of a delta; one that came in several pieces was as many events."""
        content = self.content
        if isinstance(delta, TextDelta):
            content.events += len(delta.pieces) or 1
            content.chars += len(delta.text)
        elif isinstance(delta, ThinkingDelta):
            content.events += len(delta.pieces) or 1
            content.chars += len(delta.thinking)
        else:
            content.events += 1
            content.chars += len(delta.partial_json) if isinstance(delta, InputJsonDelta) else 0

    def _note(self, event: _Other) -> None:
        if isinstance(event, MessageDelta):
            self.is_committed = True
            self._is_estimated = event.is_estimated
            self._usage = self._usage.updated(event.usage)
            self._stop_reason = event.stop_reason
        elif isinstance(event, MessageStop):
            self.is_finished = True
        elif isinstance(event, MessageStart):
            self._usage = event.usage
            if not self.is_committed:
                self._held.append(event)
        elif isinstance(event, Failed):
            self.failure = _upstream_error(event.error)
        elif not isinstance(event, Ping):
            assert_never(event)


def _upstream_error(error: ApiError) -> UpstreamError:
    if isinstance(error, UpstreamError):
        return error.without_frames()
    return UpstreamError(error.type, error.message, status=error.status, fault="midstream")
