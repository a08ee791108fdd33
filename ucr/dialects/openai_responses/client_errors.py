"""Errors as a Responses client gets them: refusals as in chat completions, and the two last events of a stream."""

from ucr import jsontext, sse
from ucr.dialects.openai_chat import client_errors as chat
from ucr.errors import ApiError
from ucr.jsontext import JsonObject

_TELLING = frozenset({"rate_limit_exceeded", "insufficient_quota", "context_length_exceeded"})
"""The codes by which clients of a failed response know what to do; the last two are sent and not documented."""


def body_of(error: ApiError) -> bytes:
    """Write the body of a refusal."""
    return chat.body_of(error)


def stream_error(error: ApiError, sequence_number: int = 0, response: JsonObject | None = None) -> bytes:
    """Write how a stream ends in an error: with an `error` event and a failed response, as at OpenAI.

    The event has its fields both at its top, as the documentation has it, and in an `error`, as it is sent. Some
    clients read the one, some the other, and some only the failed response. `response` is what was said of it
    before, if that is known.
    """
    words = jsontext.loads(chat.body_of(error))["error"]
    code = words["code"] or "server_error"
    event = {
        "type": "error",
        "code": code,
        "message": error.message,
        "param": error.param,
        "sequence_number": sequence_number,
        "error": words,
    }
    failed = {
        "type": "response.failed",
        "sequence_number": sequence_number + 1,
        "response": {
            **(response or {}),
            "status": "failed",
            "error": {"code": _short(error, code), "message": error.message},
        },
    }
    return sse.encode(jsontext.dumps(event), "error") + sse.encode(jsontext.dumps(failed), "response.failed")


def _short(error: ApiError, code: str) -> str:
    """Return one of the few codes that a failed response may have."""
    if code in _TELLING:
        return code
    return "invalid_prompt" if error.type == "invalid_request_error" else "server_error"
