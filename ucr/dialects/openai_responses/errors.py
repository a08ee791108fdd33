"""Reads the errors of Responses answers: refusals, failed responses, and the error events of streams.

An error event has its fields at its top, as the documentation has it, or in an `error`, as it is sent; a failed
response has them in its own `error`. The refusals are those of chat completions.
"""

from ucr.dialects import faults
from ucr.dialects.openai_chat import errors as chat
from ucr.dialects.roles import Context
from ucr.errors import UpstreamError
from ucr.jsontext import JsonObject

FAILED = frozenset({"error", "response.failed"})
"""The events that end a stream in an error."""

_REQUEST_FAULTS = ("invalid_", "image_", "unsupported_image", "empty_image", "failed_to_download")
"""How the codes of a failed response begin that lie in the request."""


def error_of(value: JsonObject, context: Context) -> UpstreamError:
    """Return the error that an event or a whole answer reports."""
    response = value.get("response")
    holder: JsonObject = response if isinstance(response, dict) else value
    given = holder.get("error")
    fields: JsonObject = (
        given if isinstance(given, dict) else holder if given is None else {"message": str(given)}
    )
    code = fields.get("code")
    status = {"status": 400} if isinstance(code, str) and code.startswith(_REQUEST_FAULTS) else {}
    known = {key: fields[key] for key in ("code", "message", "param") if key in fields}
    kind = {"type": fields["type"]} if fields is given and "type" in fields else {}
    found = chat.error_in({"error": {**kind, **known, **status}}, context, is_error=True)
    return found or faults.unreadable(context.provider, "reported an error without words")
