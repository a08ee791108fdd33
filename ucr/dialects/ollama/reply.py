"""Reads a whole answer of Ollama's, as one line of a stream."""

from ucr import answer, jsontext
from ucr.dialects import faults
from ucr.dialects.ollama.assembly import Assembly
from ucr.dialects.openai_chat import errors
from ucr.dialects.roles import Context
from ucr.events import Reply
from ucr.jsontext import JsonError, JsonObject


def decode_reply(body: bytes, context: Context) -> Reply:
    """Read an answer; raise `UpstreamError` for an error in it and for what cannot be read."""
    assembly = Assembly(context)
    events = assembly.read(parsed(body, context))
    return answer.collect([*events, *assembly.end()])


def parsed(body: bytes, context: Context) -> JsonObject:
    """Return an answer as it was sent; raise `UpstreamError` for what is none."""
    if not body.strip():
        raise faults.unreadable(context.provider, "answered with an empty body")
    try:
        value = jsontext.loads(body)
    except JsonError:
        raise faults.unreadable(context.provider, "answered what is not JSON", body) from None
    if not isinstance(value, dict):
        raise faults.unreadable(context.provider, "answered what is not an answer", body)
    error = errors.error_in(value, context)
    if error is not None:
        raise error
    if not isinstance(value.get("message"), dict):
        raise faults.unreadable(context.provider, "answered without an answer", body)
    return value
