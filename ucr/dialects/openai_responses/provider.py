"""The provider role of the Responses dialect."""

from ucr.dialects import envelope
from ucr.dialects.model_name import renamed
from ucr.dialects.openai_chat.errors import decode_error
from ucr.dialects.openai_chat.initiator import initiator_headers
from ucr.dialects.openai_responses import tap as taps
from ucr.dialects.openai_responses.build import PATH, build, build_count, headers_for
from ucr.dialects.openai_responses.reply import decode_reply
from ucr.dialects.openai_responses.stream import ResponsesStreamDecoder
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
from ucr.jsontext import JsonObject, dumps

_OURS = envelope.PREFIX.encode()
_DROPPED = "dropped reasoning of another provider"


class OpenAIResponsesProvider:
    """Any provider that speaks Responses; in what they differ is in `Target.quirks`."""

    name = "openai-responses"

    def build(self, canonical: Canonical, request: Request, target: Target) -> Outgoing:
        """Translate a canonical request."""
        return build(canonical, request, target)

    def build_same(self, request: Request, target: Target) -> Outgoing:
        """Pass the client's bytes on, with the model's name mapped.

        Reasoning that was translated for the client from another protocol, which no provider of this one could read,
        stays away.
        """
        body, notes = request.raw, tuple[str, ...]()
        if _OURS in body and (kept := _without_ours(request.body)) is not None:
            body, notes = dumps({**kept, "model": target.model}), (_DROPPED,)
        elif request.model != target.model:
            mapped = renamed(body, target.model)
            body = dumps({**request.body, "model": target.model}) if mapped is None else mapped
        context = context_of(request, target)
        told = initiator_headers(request.body.get("input"), target)
        return Outgoing(PATH, headers_for(request.stream) + told, body, context, notes)

    def build_count(self, request: Request, target: Target) -> Outgoing:
        """Ask how many input tokens a request has whose body is canonical."""
        return build_count(request, target)

    def decode_reply(self, body: bytes, context: Context) -> Reply:
        """Read a whole answer; raise `UpstreamError` for an error in it and for what cannot be read."""
        return decode_reply(body, context)

    def decode_error(self, status: int, headers: Headers, body: bytes, context: Context) -> UpstreamError:
        """Read a refusal."""
        return decode_error(status, headers, body, context)

    def decoder(self, context: Context) -> StreamDecoder:
        """Return what reads a stream."""
        return ResponsesStreamDecoder(context)

    def tap(self, context: Context, *, strict: bool) -> Tap:
        """Return what watches a stream that passes through."""
        return taps.ResponsesTap(context)

    def pass_reply(self, body: bytes, context: Context) -> tuple[bytes, Summary]:
        """Check a whole answer that passes through."""
        return taps.pass_reply(body, context)


def _without_ours(body: JsonObject) -> JsonObject | None:
    """Return a body without the reasoning items that UCR has sealed; None when there are none."""
    given = body.get("input")
    items = given if isinstance(given, list) else []
    kept = [item for item in items if not _is_ours(item)]
    return None if len(kept) == len(items) else {**body, "input": kept}


def _is_ours(item: object) -> bool:
    if not isinstance(item, dict) or item.get("type") != "reasoning":
        return False
    return envelope.is_ours(item.get("encrypted_content"))
