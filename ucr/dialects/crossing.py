"""A stream that crosses from a provider's dialect to a client's.

It has the shape of a tap, so that the relay treats a translated stream and one that passes through alike:
bytes in, bytes for the client out, nothing before the commit point.
"""

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import assert_never

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

_DELTA, _TEXT, _INDEX = attrgetter("delta"), attrgetter("text"), attrgetter("index")
_TEXTS = frozenset({TextDelta})


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
        self.is_at_boundary = True
        self.failure: UpstreamError | None = None

    @property
    def is_finishing(self) -> bool:
        """True when only the usage may still come."""
        return self._decoder.is_finishing

    @property
    def summary(self) -> Summary:
        return Summary(self._usage, self._stop_reason, self._is_estimated)

    def feed(self, data: bytes) -> bytes:
        """Take the provider's bytes; return the client's."""
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
        """Note and write events; nearly all are deltas of a stream that has begun, one alone or a run of them."""
        if len(events) == 1 and self.is_committed and not self.is_finished and self.failure is None:
            event = events[0]
            if isinstance(event, BlockDelta):
                self.content.events += 1
                self.content.chars += _chars(event.delta)
                return self._encoder.encode(event)
        written: list[bytes] = []
        for kind, run in groupby(events, type):
            if self.is_finished or self.failure is not None:
                break
            if kind is BlockDelta and self.is_committed:
                written.append(self._deltas(list(run)))
            else:
                self._others(run, written)
        return b"".join(written)

    def _deltas(self, run: list[Event]) -> bytes:
        """Write deltas that follow one another, which belong to one block: no other can be open."""
        deltas: list[Delta] = list(map(_DELTA, run))
        self.content.events += len(deltas)
        if set(map(type, deltas)) != _TEXTS:
            self.content.chars += sum(map(_chars, deltas))
            return b"".join(map(self._encoder.encode, run))
        texts: list[str] = list(map(_TEXT, deltas))
        self.content.chars += sum(map(len, texts))
        return self._encoder.encode_texts(_INDEX(run[0]), texts)

    def _others(self, run: Iterable[Event], written: list[bytes]) -> None:
        for event in run:
            self._note(event)
            if self.is_committed:
                written += [self._encoder.encode(held) for held in self._held]
                self._held.clear()
                written.append(self._encoder.encode(event))
            if self.is_finished or self.failure is not None:
                return

    def _note(self, event: Event) -> None:
        match event:
            case MessageStart(usage=usage):
                self._usage = self._usage.updated(usage)
                if not self.is_committed:
                    self._held.append(event)
            case BlockDelta(delta=delta):
                self.is_committed = True
                self.content.add(_chars(delta))
            case BlockStart() | BlockStop():
                self.is_committed = True
                self.content.add(0)
            case MessageDelta(stop_reason=stop_reason, usage=usage, is_estimated=is_estimated):
                self._is_estimated = is_estimated
                self.is_committed = True
                self._usage = self._usage.updated(usage)
                self._stop_reason = stop_reason
            case MessageStop():
                self.is_finished = True
            case Failed(error=error):
                self.failure = _upstream_error(error)
            case Ping():
                pass
            case _:
                assert_never(event)


def _chars(delta: Delta) -> int:
    if isinstance(delta, TextDelta):
        return len(delta.text)
    if isinstance(delta, InputJsonDelta):
        return len(delta.partial_json)
    return len(delta.thinking) if isinstance(delta, ThinkingDelta) else 0


def _upstream_error(error: ApiError) -> UpstreamError:
    if isinstance(error, UpstreamError):
        return error
    return UpstreamError(error.type, error.message, status=error.status, fault="midstream")
