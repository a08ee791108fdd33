"""The provider role of the Gemini dialect."""

from ucr.dialects.gemini import build as builds
from ucr.dialects.gemini import tap as taps
from ucr.dialects.gemini.reply import decode_reply
from ucr.dialects.gemini.stream import GeminiStreamDecoder
from ucr.dialects.openai_chat.errors import decode_error
from ucr.dialects.roles import (
    Canonical,
    Context,
    Headers,
    Outgoing,
    Request,
    StreamDecoder,
    Summary,
    Tap,
    Target,
)
from ucr.errors import UpstreamError
from ucr.events import Reply


class GeminiProvider:
    """Google AI Studio, and whoever else speaks the Gemini API."""

    name = "gemini"

    def build(self, canonical: Canonical, request: Request, target: Target) -> Outgoing:
        """Translate a canonical request."""
        return builds.build(canonical, request, target)

    def build_same(self, request: Request, target: Target) -> Outgoing:
        """Pass the client's bytes on: the model is named in the path alone."""
        context = Context(target.provider, request.model, target.model, request.stream, target.quirks)
        path = builds.path(target, request.stream)
        return Outgoing(path, builds.headers(request.stream), request.raw, context)

    def build_count(self, request: Request, target: Target) -> Outgoing:
        """Ask how many tokens a request has whose body is canonical."""
        return builds.build_count(request, target)

    def decode_reply(self, body: bytes, context: Context) -> Reply:
        """Read a whole answer; raise `UpstreamError` for an error in it and for what cannot be read."""
        return decode_reply(body, context)

    def decode_error(self, status: int, headers: Headers, body: bytes, context: Context) -> UpstreamError:
        """Read a refusal."""
        return decode_error(status, headers, body, context)

    def decoder(self, context: Context) -> StreamDecoder:
        """Return what reads a stream."""
        return GeminiStreamDecoder(context)

    def tap(self, context: Context, *, strict: bool) -> Tap:
        """Return what watches a stream that passes through."""
        return taps.GeminiTap(context)

    def pass_reply(self, body: bytes, context: Context) -> tuple[bytes, Summary]:
        """Check a whole answer that passes through."""
        return taps.pass_reply(body, context)
