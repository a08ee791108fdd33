"""The provider role of the chat-completions dialect."""

from ucr.dialects.model_name import renamed
from ucr.dialects.openai_chat import tap as taps
from ucr.dialects.openai_chat.build import build
from ucr.dialects.openai_chat.errors import decode_error
from ucr.dialects.openai_chat.foreign import with_required, without_foreign
from ucr.dialects.openai_chat.initiator import initiator_headers
from ucr.dialects.openai_chat.reply import decode_reply
from ucr.dialects.openai_chat.stream import ChatStreamDecoder
from ucr.dialects.roles import (
    Canonical,
    Context,
    HeaderList,
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
from ucr.jsontext import dumps

PATH = "/chat/completions"
NO_NOTES: tuple[str, ...] = ()


class OpenAIChatProvider:
    """Any provider that speaks chat completions; in what they differ is in `Target.quirks`."""

    name = "openai-chat"

    def build(self, canonical: Canonical, request: Request, target: Target) -> Outgoing:
        """Translate a canonical request."""
        return build(canonical, request, target)

    def build_same(self, request: Request, target: Target) -> Outgoing:
        """Pass the client's bytes on, with the model's name mapped and without the thinking of other providers."""
        body, notes = request.raw, NO_NOTES
        given = request.body.get("messages")
        messages = without_foreign(body, given, target.quirks)
        if messages is not None:
            notes = ("thinking of another provider left out",)
        messages = with_required(given if messages is None else messages, target.quirks) or messages
        if messages is not None:
            body = dumps({**request.body, "model": target.model, "messages": messages})
        elif request.model != target.model:
            mapped = renamed(request.raw, target.model, places=request.places)
            body = dumps({**request.body, "model": target.model}) if mapped is None else mapped
        accept = "text/event-stream" if request.stream else "application/json"
        context = context_of(request, target)
        headers: HeaderList = (("content-type", "application/json"), ("accept", accept))
        if target.quirks.initiator:
            headers += initiator_headers(request.body.get("messages"), target)
        return Outgoing(PATH, headers, body, context, notes)

    def decode_reply(self, body: bytes, context: Context) -> Reply:
        """Read a whole answer; raise `UpstreamError` for an error in it and for what cannot be read."""
        return decode_reply(body, context)

    def decode_error(self, status: int, headers: Headers, body: bytes, context: Context) -> UpstreamError:
        """Read a refusal."""
        return decode_error(status, headers, body, context)

    def decoder(self, context: Context) -> StreamDecoder:
        """Return what reads a stream."""
        return ChatStreamDecoder(context)

    def tap(self, context: Context, *, strict: bool) -> Tap:
        """Return what watches a stream that passes through."""
        return taps.ChatTap(context)

    def pass_reply(self, body: bytes, context: Context) -> tuple[bytes, Summary]:
        """Check a whole answer that passes through."""
        return taps.pass_reply(body, context)
