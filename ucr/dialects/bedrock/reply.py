"""Reads a whole answer of Converse's."""

from ucr import answer, jsontext
from ucr.dialects import faults
from ucr.dialects.bedrock.assembly import Assembly
from ucr.dialects.openai_chat.source import object_of
from ucr.dialects.roles import Context
from ucr.events import Reply
from ucr.jsontext import JsonError, JsonObject


def decode_reply(body: bytes, context: Context) -> Reply:
    """Read an answer; raise `UpstreamError` for what cannot be read."""
    assembly = Assembly(context)
    events = assembly.read_whole(_parsed(body, context))
    return answer.collect([*events, *assembly.end()])


def _parsed(body: bytes, context: Context) -> JsonObject:
    try:
        value = jsontext.loads(body)
    except JsonError:
        raise faults.unreadable(context.provider, "answered what is not JSON", body) from None
    message = object_of(object_of(object_of(value).get("output")).get("message"))
    if not isinstance(value, dict) or not isinstance(message.get("content"), list):
        raise faults.unreadable(context.provider, "answered without an answer", body)
    return value
