"""The provider role: requests to an Anthropic upstream, and what it answers."""

from ucr import jsontext
from ucr.dialects import model_name
from ucr.dialects.anthropic import betas, build, decode, errors, history, usage
from ucr.dialects.anthropic.hosted import hosted, is_hosted, is_on_bedrock
from ucr.dialects.anthropic.tap import MessageTap
from ucr.dialects.anthropic.thinking import is_on
from ucr.dialects.bedrock import exceptions
from ucr.dialects.bedrock.chunks import ChunkDecoder, ChunkSplitter
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
)
from ucr.errors import UpstreamError
from ucr.events import Reply
from ucr.jsontext import JsonObject

_COUNT = "/count_tokens"
_PLAIN_HEADERS: HeaderList = (("content-type", "application/json"), ("accept", "application/json"))
VERSION = "2023-06-01"
"""The version that takes sampling parameters; later ones refuse them, so requests of our own never name one."""


class AnthropicProvider:
    """An upstream that speaks the Messages API: Anthropic's own, or one of the many that imitate it."""

    name = "anthropic"

    def build(self, canonical: Canonical, request: Request, target: Target) -> Outgoing:
        """Build from another dialect's request."""
        body, notes = build.translated(canonical, request, target)
        if is_hosted(target):
            body = hosted(body, {}, target.quirks.platform)
        return Outgoing(
            path=_path(target),
            headers=_PLAIN_HEADERS if is_on_bedrock(target.quirks) else _headers({}),
            body=jsontext.dumps(body),
            context=_context(request, target, thinking_wanted=is_on(canonical.body)),
            notes=notes,
        )

    def build_same(self, request: Request, target: Target) -> Outgoing:
        """Build from an Anthropic client's request: its bytes, the model's name apart, wherever they can stay.

        Every `anthropic-*` header passes: betas and versions are the client's business. Only what the quirk `betas`
        excludes is left out.
        """
        return self._passed(request, target, _path(target))

    def build_count(self, request: Request, target: Target) -> Outgoing:
        """Build a request to count tokens from one of the same kind."""
        return self._passed(request, target, _path(target) + _COUNT)

    def _passed(self, request: Request, target: Target, path: str) -> Outgoing:
        body, notes = _adapted(request, target)
        client = request.headers
        if target.quirks.betas != betas.ALL:
            client, body, left_out = _with_betas(client, body, target)
            notes = (*notes, *left_out)
        if is_hosted(target):
            named = {**body, "model": target.model}
            platform, is_count = target.quirks.platform, path.endswith(_COUNT)
            written = jsontext.dumps(hosted(named, client, platform, is_count=is_count))
        else:
            written = _bytes(request, body, target.model)
        return Outgoing(
            path=path,
            headers=_PLAIN_HEADERS if is_on_bedrock(target.quirks) else _headers(client),
            body=written,
            context=_context(request, target, thinking_wanted=True),
            notes=notes,
        )

    def decode_reply(self, body: bytes, context: Context) -> Reply:
        """Read a whole answer; raise `UpstreamError` for an error in it and for what cannot be read."""
        return decode.reply(body, context)

    def decode_error(self, status: int, headers: Headers, body: bytes, context: Context) -> UpstreamError:
        """Read an error answer; its own body passes to clients of this dialect."""
        if is_on_bedrock(context.quirks):
            return exceptions.decode_error(context.provider, status, headers, body)
        return errors.read_body(context.provider, status, headers, body)

    def decoder(self, context: Context) -> StreamDecoder:
        """Return the reader of one stream."""
        return decode.MessageDecoder(context, ChunkDecoder() if is_on_bedrock(context.quirks) else None)

    def tap(self, context: Context, *, strict: bool) -> Tap:
        """Return the watcher of one stream that passes through."""
        return MessageTap(context, ChunkSplitter() if is_on_bedrock(context.quirks) else None, strict=strict)

    def pass_reply(self, body: bytes, context: Context) -> tuple[bytes, Summary]:
        """Check a whole answer, put the model's name back, and read its usage."""
        message = decode.message(body, context.provider)
        reason = message.get("stop_reason")
        summary = Summary(usage.read(message.get("usage")), reason if isinstance(reason, str) else None)
        if context.model_asked == context.model_used:
            return body, summary
        return model_name.renamed(body, context.model_asked) or body, summary


def _adapted(request: Request, target: Target) -> tuple[JsonObject, tuple[str, ...]]:
    is_native = request.model == target.model and not target.quirks.drop and target.quirks.mid_system
    has_own = _has_own(request)
    if is_native and not has_own:
        return request.body, ()
    return build.adapted(request.body, request.model, target, has_own=has_own)


def _has_own(request: Request) -> bool:
    """True when a turn has what only UCR understands; the beginning is looked at when it is new."""
    turns, beginning = request.body["messages"], request.beginning
    if beginning is None or turns[: len(beginning.turns)] != beginning.turns:
        return history.has_own(turns)
    if history.has_own(turns[beginning.clean :]):
        return True
    beginning.clean = len(beginning.turns)
    return False


def _with_betas(
    client: Headers, body: JsonObject, target: Target
) -> tuple[Headers, JsonObject, tuple[str, ...]]:
    """Leave out the betas that the provider does not take, and the fields that come with them."""
    given = betas.named(client.get(betas.HEADER, ""))
    left_out = betas.refused(given, target.quirks.betas)
    if not left_out:
        return client, body, ()
    kept = [name for name in given if name not in left_out]
    headers = {name: value for name, value in client.items() if name != betas.HEADER}
    if kept:
        headers[betas.HEADER] = ",".join(kept)
    return (
        headers,
        betas.without_fields(body, left_out, kept),
        tuple(f"left out beta {name}" for name in left_out),
    )


def _bytes(request: Request, body: JsonObject, model: str) -> bytes:
    if body is not request.body:
        return jsontext.dumps({**body, "model": model})
    if model == request.model:
        return request.raw
    return model_name.renamed(request.raw, model, places=request.places) or jsontext.dumps(
        {**body, "model": model}
    )


def _path(target: Target) -> str:
    return "/messages" if target.base_url.rstrip("/").endswith("/v1") else "/v1/messages"


def _headers(client: Headers) -> HeaderList:
    passed = [item for item in client.items() if item[0][:10] == "anthropic-"]
    if "anthropic-version" not in client:
        passed.append(("anthropic-version", VERSION))
    return (*_PLAIN_HEADERS, *sorted(passed))


def _context(request: Request, target: Target, *, thinking_wanted: bool) -> Context:
    return Context(
        provider=target.provider,
        model_asked=request.model,
        model_used=target.model,
        stream=request.stream,
        quirks=target.quirks,
        thinking_wanted=thinking_wanted,
    )
