"""The provider role of Replicate."""

from ucr.dialects.openai_chat.errors import decode_error
from ucr.dialects.provider_only import ProviderOnly
from ucr.dialects.replicate import build as builds
from ucr.dialects.replicate.reply import decode_reply
from ucr.dialects.replicate.stream import ReplicateStreamDecoder
from ucr.dialects.roles import Canonical, Context, Headers, Outgoing, Request, StreamDecoder, Target
from ucr.errors import UpstreamError
from ucr.events import Reply


class ReplicateProvider(ProviderOnly):
    """Replicate, whose answers are predictions: `ucr.predictions` asks for them."""

    name = "replicate"

    def build(self, canonical: Canonical, request: Request, target: Target) -> Outgoing:
        """Translate a canonical request."""
        return builds.build(canonical, request, target)

    def decode_reply(self, body: bytes, context: Context) -> Reply:
        """Read a prediction that has ended; raise `UpstreamError` for one that failed."""
        return decode_reply(body, context)

    def decode_error(self, status: int, headers: Headers, body: bytes, context: Context) -> UpstreamError:
        """Read a refusal."""
        return decode_error(status, headers, body, context)

    def decoder(self, context: Context) -> StreamDecoder:
        """Return what reads a stream."""
        return ReplicateStreamDecoder(context)
