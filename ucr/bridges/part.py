"""A client dialect for one part of an answer: what the provider says goes into a weave and from there to the client."""

from collections.abc import Callable

from ucr.bridges.weave import Strand
from ucr.dialects.roles import Canonical, ClientDialect, Headers, Request, StreamEncoder
from ucr.errors import ApiError
from ucr.events import Reply


class PartClient:
    """Stands in for the client's own dialect. `begin` is told when the strand gets an answer that is delivered."""

    name = "part"
    """That of no provider: such answers are always translated."""

    def __init__(
        self, client: ClientDialect, canonical: Canonical, strand: Strand, begin: Callable[[], None]
    ) -> None:
        self.stream_type = client.stream_type
        self.opens_early = client.opens_early
        self._client = client
        self._canonical = canonical
        self._strand = strand
        self._begin = begin

    def __repr__(self) -> str:
        return f"<PartClient for {self._client.name}>"

    def parse(self, raw: bytes, headers: Headers) -> Request:
        return self._client.parse(raw, headers)

    def canonical(self, request: Request) -> Canonical:
        """Return what was made of the request already."""
        return self._canonical

    def encode_reply(self, reply: Reply, request: Request) -> bytes:
        """Take a whole answer; the client gets nothing of it yet."""
        self._begin()
        self._strand.take(reply)
        return b""

    def encoder(self, request: Request) -> StreamEncoder:
        self._begin()
        return self._strand

    def encode_error(self, error: ApiError, request_id: str) -> bytes:
        return self._client.encode_error(error, request_id)

    def encode_stream_error(self, error: ApiError, request_id: str) -> bytes:
        return self._client.encode_stream_error(error, request_id)

    def keep_alive(self) -> bytes:
        return self._client.keep_alive()
