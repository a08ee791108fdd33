"""Reads a whole chat-completions answer.

It is read as one large delta, so that what holds for streams holds here. All choices make one message: some
providers put the text into one and the calls into another.
"""

from ucr import answer, jsontext
from ucr.dialects import faults
from ucr.dialects.openai_chat import errors
from ucr.dialects.openai_chat.assembly import Assembly
from ucr.dialects.openai_chat.plain_reply import plain_reply
from ucr.dialects.openai_chat.tap import messages_of
from ucr.dialects.roles import Context
from ucr.events import Event, Reply
from ucr.jsontext import JsonError, JsonObject


def decode_reply(body: bytes, context: Context) -> Reply:
    """Read an answer; raise `UpstreamError` for an error in it and for what cannot be read."""
    return plain_reply(body, context) or read_reply(body, context)


def read_reply(body: bytes, context: Context) -> Reply:
    """Read an answer of any kind, as `decode_reply` does."""
    return read_value(parsed(body, context), body, context)


def read_value(value: JsonObject, body: bytes, context: Context) -> Reply:
    """Read an answer that was parsed, or put into these words, from `body`; raise as `decode_reply` does."""
    error = errors.error_in(value, context)
    if error is not None:
        raise error
    found = messages_of(value)
    if not found:
        raise faults.unreadable(context.provider, "answered without an answer", body)
    assembly = Assembly(context, in_pieces=False)
    assembly.note_usage(value)
    events: list[Event] = []
    for choice in found:
        events += assembly.read(value, choice["message"], len(body))
        error = errors.error_in(choice, context) or assembly.note_finish(choice.get("finish_reason"))
        if error is not None:
            raise error
    return answer.collect([*events, *assembly.end()])


def parsed(body: bytes, context: Context) -> JsonObject:
    """Return the object that an answer is; raise `UpstreamError` for what is none."""
    if not body.strip():
        raise faults.unreadable(context.provider, "answered with an empty body")
    try:
        value = jsontext.loads(body)
    except JsonError:
        raise faults.unreadable(context.provider, "answered what is not JSON", body) from None
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        raise faults.unreadable(context.provider, "answered what is not an answer", body)
    return value
