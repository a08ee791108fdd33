"""The provider role of Amazon Bedrock's Converse API."""

from ucr.dialects.bedrock import build as builds
from ucr.dialects.bedrock import exceptions
from ucr.dialects.bedrock.reply import decode_reply
from ucr.dialects.bedrock.stream import BedrockStreamDecoder
from ucr.dialects.provider_only import ProviderOnly
from ucr.dialects.roles import Canonical, Context, Headers, Outgoing, Request, StreamDecoder, Target
from ucr.errors import UpstreamError
from ucr.events import Reply


class BedrockProvider(ProviderOnly):
    """Amazon Bedrock, with whatever model it hosts."""

    name = "bedrock"

    def build(self, canonical: Canonical, request: Request, target: Target) -> Outgoing:
        """Translate a canonical request."""
        return builds.build(canonical, request, target)

    def build_count(self, request: Request, target: Target) -> Outgoing:
        """Ask how many tokens a request has whose body is canonical."""
        return builds.build_count(request, target)

    def decode_reply(self, body: bytes, context: Context) -> Reply:
        """Read a whole answer; raise `UpstreamError` for what cannot be read."""
        return decode_reply(body, context)

    def decode_error(self, status: int, headers: Headers, body: bytes, context: Context) -> UpstreamError:
        """Read a refusal."""
        return exceptions.decode_error(context.provider, status, headers, body)

    def decoder(self, context: Context) -> StreamDecoder:
        """Return what reads a stream."""
        return BedrockStreamDecoder(context)
