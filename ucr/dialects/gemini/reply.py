"""Reads a whole Gemini answer, as one chunk of a stream; a list is a stream that came as a JSON array."""

from ucr import answer, jsontext
from ucr.dialects import faults
from ucr.dialects.gemini import finish
from ucr.dialects.gemini.assembly import Assembly
from ucr.dialects.openai_chat import errors
from ucr.dialects.roles import Context
from ucr.events import Event, Reply
from ucr.jsontext import JsonError, JsonObject


def decode_reply(body: bytes, context: Context) -> Reply:
    """Read an answer; raise `UpstreamError` for an error in it and for what cannot be read."""
    assembly = Assembly(context)
    events: list[Event] = []
    for value in parsed(body, context):
        events += assembly.read(value)
    return answer.collect([*events, *assembly.end()])


def parsed(body: bytes, context: Context) -> list[JsonObject]:
    """Return the chunks of an answer, one for a whole one; raise `UpstreamError` for what is none."""
    if not body.strip():
        raise faults.unreadable(context.provider, "answered with an empty body")
    try:
        value = jsontext.loads(body)
    except JsonError:
        raise faults.unreadable(context.provider, "answered what is not JSON", body) from None
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(item, dict) for item in values):
        raise faults.unreadable(context.provider, "answered what is not an answer", body)
    for item in values:
        error = errors.error_in(item, context)
        if error is not None:
            raise error
    if not any(is_answer(item) for item in values):
        raise faults.unreadable(context.provider, "answered without an answer", body)
    return values


def is_answer(value: JsonObject) -> bool:
    """True for what has candidates, or says that there are none because the prompt was refused."""
    return bool(value.get("candidates")) or finish.block_in(value) is not None
