"""Lets a gatherer hear an answer on its way: one that is translated, and one that passes through."""

from contextlib import suppress

from ucr.dialects.roles import Content, Context, ProviderDialect, StreamDecoder, Summary, Tap
from ucr.errors import UpstreamError
from ucr.events import Event
from ucr.vault.gathering import Gatherer


class ListeningDecoder:
    """A decoder whose events a gatherer hears; see `ucr.dialects.roles.StreamDecoder`."""

    stretch = None  # Each event is to be heard.

    def __init__(self, decoder: StreamDecoder, gatherer: Gatherer) -> None:
        self._decoder = decoder
        self._gatherer = gatherer

    @property
    def is_finishing(self) -> bool:
        return self._decoder.is_finishing

    def feed(self, data: bytes) -> list[Event]:
        """Read the next bytes."""
        return self._heard(self._decoder.feed(data))

    def close(self) -> list[Event]:
        """Read the end."""
        return self._heard(self._decoder.close())

    def _heard(self, events: list[Event]) -> list[Event]:
        for event in events:
            self._gatherer.take(event)
        return events


class ListeningTap:
    """A tap beside which a decoder reads the same bytes for a gatherer; see `ucr.dialects.roles.Tap`.

    What the decoder cannot read is the tap's business, and nothing is gathered of it.
    """

    def __init__(self, tap: Tap, decoder: StreamDecoder, gatherer: Gatherer) -> None:
        self._tap = tap
        self._decoder: ListeningDecoder | None = ListeningDecoder(decoder, gatherer)

    @property
    def is_committed(self) -> bool:
        return self._tap.is_committed

    @property
    def is_at_boundary(self) -> bool:
        return self._tap.is_at_boundary

    @property
    def is_finishing(self) -> bool:
        return self._tap.is_finishing

    @property
    def is_finished(self) -> bool:
        return self._tap.is_finished

    @property
    def failure(self) -> UpstreamError | None:
        return self._tap.failure

    @property
    def content(self) -> Content:
        return self._tap.content

    @property
    def summary(self) -> Summary:
        return self._tap.summary

    def feed(self, data: bytes) -> bytes:
        """Take the provider's bytes; return the client's."""
        if self._decoder is not None:
            try:
                self._decoder.feed(data)
            except UpstreamError:
                self._decoder = None
        written = self._tap.feed(data)
        if self._tap.is_finished and self._tap.failure is None:
            self._end()
        return written

    def close(self) -> bytes:
        """Take the end of the provider's bytes."""
        written = self._tap.close()
        if self._tap.failure is None:
            self._end()
        return written

    def open_early(self, message_id: str) -> bytes:
        """Open the client's stream before the provider has."""
        return self._tap.open_early(message_id)

    def _end(self) -> None:
        """Let the decoder see the end of an answer that has come to its proper one."""
        decoder, self._decoder = self._decoder, None
        if decoder is not None:
            with suppress(UpstreamError):
                decoder.close()


def overhear(gatherer: Gatherer, dialect: ProviderDialect, body: bytes, context: Context) -> None:
    """Let a gatherer hear a whole answer that passes through."""
    with suppress(UpstreamError):
        gatherer.take_reply(dialect.decode_reply(body, context))
