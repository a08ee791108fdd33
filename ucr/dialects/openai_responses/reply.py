"""Reads a whole Responses answer, through what reads the items of a stream."""

from ucr import answer, jsontext
from ucr.dialects import faults
from ucr.dialects.openai_chat.errors import error_in
from ucr.dialects.openai_responses import errors
from ucr.dialects.openai_responses.assembly import Assembly
from ucr.dialects.openai_responses.stream import read_output
from ucr.dialects.roles import Context
from ucr.events import Reply
from ucr.jsontext import JsonError, JsonObject

_ENDED = ("completed", "incomplete", None)


def decode_reply(body: bytes, context: Context) -> Reply:
    """Read an answer; raise `UpstreamError` for an error in it and for what cannot be read."""
    value = response_of(body, context)
    assembly = Assembly(context, in_pieces=False)
    events = [*assembly.start(value), *read_output(assembly, value), *assembly.end(value)]
    return answer.collect(events)


def response_of(body: bytes, context: Context) -> JsonObject:
    """Return a response that has ended well; raise `UpstreamError` for everything else."""
    if not body.strip():
        raise faults.unreadable(context.provider, "answered with an empty body")
    try:
        value = jsontext.loads(body)
    except JsonError:
        raise faults.unreadable(context.provider, "answered what is not JSON", body) from None
    if not isinstance(value, dict):
        raise faults.unreadable(context.provider, "answered what is not a response", body)
    if value.get("status") == "failed" and not value.get("error"):
        raise errors.error_of({"message": "the response failed"}, context)
    if value.get("error"):
        raise error_in(value, context) or errors.error_of(value, context)
    if not isinstance(value.get("output"), list):
        raise faults.unreadable(context.provider, "answered without an output", body)
    if value.get("status") not in _ENDED:
        raise faults.unreadable(context.provider, "answered before its response had ended", body)
    return value
