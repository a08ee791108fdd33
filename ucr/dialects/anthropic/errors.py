"""Errors in the shape of the Messages API, read and written."""

from ucr import jsontext
from ucr.dialects import faults
from ucr.dialects.roles import Headers
from ucr.errors import STATUS_OF, ApiError, UpstreamError
from ucr.jsontext import JsonError, JsonObject


def written(error: ApiError, request_id: str = "") -> bytes:
    """Write an error body; the same JSON is the data of a stream's error event."""
    body: JsonObject = {"type": "error", "error": {"type": error.type, "message": error.message}}
    if request_id:
        body["request_id"] = request_id
    return jsontext.dumps(body)


def read_body(provider: str, status: int, headers: Headers, body: bytes) -> UpstreamError:
    """Read an error answer; a body that is no error of this shape is quoted, not passed on."""
    try:
        value = jsontext.loads(body)
    except JsonError:
        value = None
    type_, message = _words(value)
    if not message:
        shown = faults.snippet(body)
        words = f"provider '{provider}' answered {status}" + (f": {shown}" if shown else "")
        return faults.upstream_error(provider, status, words, headers=headers)
    known = body if isinstance(value, dict) and isinstance(value.get("error"), dict) else None
    return faults.upstream_error(provider, status, message, code=type_, headers=headers, body=known)


def read_event(provider: str, value: JsonObject, body: bytes | None = None) -> UpstreamError:
    """Read an error that came where an answer should be; its type stands for the missing status."""
    type_, message = _words(value)
    status = next((status for name, status in STATUS_OF if name == type_), 500)
    return faults.upstream_error(provider, status, message, code=type_, body=body)


def _words(value: object) -> tuple[str, str]:
    """Return type and message from the shapes that Anthropic and its imitators use."""
    error = value.get("error", value) if isinstance(value, dict) else None
    if isinstance(error, str):
        return "", error
    if not isinstance(error, dict):
        return "", ""
    type_, message = error.get("type"), error.get("message")
    return type_ if isinstance(type_, str) else "", message if isinstance(message, str) else ""
