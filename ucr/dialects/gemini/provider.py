"""The provider role of the Gemini dialect."""

from ucr import jsontext
from ucr.dialects.gemini import build as builds
from ucr.dialects.gemini import client_thoughts
from ucr.dialects.gemini import tap as taps
from ucr.dialects.gemini.contents import OLDER_MODELS
from ucr.dialects.gemini.reply import decode_reply
from ucr.dialects.gemini.stream import GeminiStreamDecoder
from ucr.dialects.openai_chat.errors import decode_error
from ucr.dialects.openai_chat.messages import SKIP_SIGNATURE
from ucr.dialects.openai_chat.source import objects_of
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
from ucr.jsontext import JsonObject
from ucr.quirks import matches

_OURS = client_thoughts.OURS.encode()
_REPLACED = "dropped thinking of another provider"


class GeminiProvider:
    """Google AI Studio, and whoever else speaks the Gemini API."""

    name = "gemini"

    def build(self, canonical: Canonical, request: Request, target: Target) -> Outgoing:
        """Translate a canonical request."""
        return builds.build(canonical, request, target)

    def build_same(self, request: Request, target: Target) -> Outgoing:
        """Pass the client's bytes on: the model is named in the path alone.

        Signatures that hold another provider's thinking, which Google would refuse, stay away.
        """
        context = context_of(request, target)
        body, notes = request.raw, tuple[str, ...]()
        if _OURS in body:
            body, notes = without_ours(body, target.model), (_REPLACED,)
        path = builds.path(target, request.stream)
        return Outgoing(path, builds.headers(request.stream), body, context, notes)

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


def without_ours(raw: bytes, model: str) -> bytes:
    """Return a request with Google's word that skips the check in place of the signatures that UCR has written."""
    skip = None if matches(model, OLDER_MODELS) else SKIP_SIGNATURE
    body = jsontext.loads(raw)
    contents = [
        {**content, "parts": [_resigned(part, skip) for part in objects_of(content.get("parts"))]}
        for content in objects_of(body.get("contents"))
    ]
    return jsontext.dumps({**body, "contents": contents})


def _resigned(part: JsonObject, skip: str | None) -> JsonObject:
    ours = [key for key in ("thoughtSignature", "thought_signature") if client_thoughts.is_ours(part.get(key))]
    if not ours:
        return part
    kept = {key: value for key, value in part.items() if key not in ours}
    return kept if skip is None else {**kept, "thoughtSignature": skip}
