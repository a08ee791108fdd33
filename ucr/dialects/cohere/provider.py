"""The provider role of the Cohere dialect."""

from ucr.dialects.cohere import build as builds
from ucr.dialects.cohere.reply import decode_reply
from ucr.dialects.cohere.stream import CohereStreamDecoder
from ucr.dialects.openai_chat.errors import decode_error
from ucr.dialects.provider_only import ProviderOnly
from ucr.dialects.roles import Canonical, Context, Headers, Outgoing, Request, StreamDecoder, Target
from ucr.errors import UpstreamError
from ucr.events import Reply


class CohereProvider(ProviderOnly):
    """Cohere, and whoever else speaks the second version of its chat API."""

    name = "cohere"

    def build(self, canonical: Canonical, request: Request, target: Target) -> Outgoing:
        """Translate a canonical request."""
        return builds.build(canonical, request, target)

    def decode_reply(self, body: bytes, context: Context) -> Reply:
        """Read a whole answer; raise `UpstreamError` for an error in it and for what cannot be read."""
        return decode_reply(body, context)

    def decode_error(self, status: int, headers: Headers, body: bytes, context: Context) -> UpstreamError:
        """Read a refusal."""
        return decode_error(status, headers, body, context)

    def decoder(self, context: Context) -> StreamDecoder:
        """Return what reads a stream."""
        return CohereStreamDecoder(context)
