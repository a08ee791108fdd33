"""The provider role of Ollama's dialect."""

from ucr.dialects.model_name import renamed
from ucr.dialects.ollama import build as builds
from ucr.dialects.ollama import tap as taps
from ucr.dialects.ollama.reply import decode_reply
from ucr.dialects.ollama.stream import OllamaStreamDecoder
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
    context_of,
)
from ucr.errors import UpstreamError
from ucr.events import Reply
from ucr.jsontext import dumps, loads


class OllamaProvider:
    """A server of Ollama's, here or in its cloud."""

    name = "ollama"

    def build(self, canonical: Canonical, request: Request, target: Target) -> Outgoing:
        """Translate a canonical request."""
        return builds.build(canonical, request, target)

    def build_same(self, request: Request, target: Target) -> Outgoing:
        """Pass the client's bytes on, with the model's name mapped."""
        body = request.raw
        if request.model != target.model:
            body = renamed(body, target.model) or dumps({**loads(body), "model": target.model})
        context = context_of(request, target)
        return Outgoing(builds.path(target), builds.headers(request.stream), body, context)

    def decode_reply(self, body: bytes, context: Context) -> Reply:
        """Read a whole answer; raise `UpstreamError` for an error in it and for what cannot be read."""
        return decode_reply(body, context)

    def decode_error(self, status: int, headers: Headers, body: bytes, context: Context) -> UpstreamError:
        """Read a refusal."""
        return decode_error(status, headers, body, context)

    def decoder(self, context: Context) -> StreamDecoder:
        """Return what reads a stream."""
        return OllamaStreamDecoder(context)

    def tap(self, context: Context, *, strict: bool) -> Tap:
        """Return what watches a stream that passes through."""
        return taps.OllamaTap(context)

    def pass_reply(self, body: bytes, context: Context) -> tuple[bytes, Summary]:
        """Check a whole answer that passes through."""
        return taps.pass_reply(body, context)
