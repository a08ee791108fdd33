"""Reads the errors of chat-completions providers, whatever shape they have.

Seen in the wild: OpenAI's `{"error": {message, type, param, code}}`; the same in a JSON array, with
`RetryInfo` among its details (Google); `{"error": "text", "code": "text"}` (xAI, Ollama, Hugging Face);
`{"object": "error", "message": …}`, `{"detail": […]}` and `{"message": {"detail": […]}}` (Mistral, FastAPI
servers); `metadata.raw` with the words of the provider behind (OpenRouter); `failed_generation` (Groq); web
pages and empty bodies of the proxies between.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ucr import jsontext
from ucr.dialects import faults
from ucr.dialects.roles import Context, Headers
from ucr.errors import UpstreamError
from ucr.jsontext import JsonError, JsonObject

_GENERATION_CHARS = 500

_STATUSES: Mapping[str, int] = MappingProxyType(
    {
        "invalid_request_error": 400,
        "context_length_exceeded": 400,
        "tool_use_failed": 400,
        "INVALID_ARGUMENT": 400,
        "FAILED_PRECONDITION": 400,
        "authentication_error": 401,
        "invalid_api_key": 401,
        "UNAUTHENTICATED": 401,
        "insufficient_quota": 402,
        "billing_error": 402,
        "permission_error": 403,
        "PERMISSION_DENIED": 403,
        "not_found_error": 404,
        "model_not_found": 404,
        "NOT_FOUND": 404,
        "rate_limit_error": 429,
        "rate_limit_exceeded": 429,
        "too_many_requests": 429,
        "RESOURCE_EXHAUSTED": 429,
        "overloaded_error": 529,
        "engine_overloaded_error": 529,
        "service_unavailable": 503,
        "UNAVAILABLE": 503,
        "timeout_error": 504,
        "DEADLINE_EXCEEDED": 504,
    }
)
"""The status that an error inside a stream would have had; what is not here is the provider's own failure."""


@dataclass(frozen=True, slots=True)
class _Report:
    message: str
    code: str = ""
    status: int | None = None
    param: str | None = None
    retry_s: int | None = None


def decode_error(status: int, headers: Headers, body: bytes, context: Context) -> UpstreamError:
    """Return the meaning of an answer whose status says that it is an error; only a JSON body is passed on."""
    read = _body_report(body)
    report = read or _Report(_page(status, body, context))
    return faults.upstream_error(
        context.provider,
        status,
        report.message,
        code=report.code,
        headers=headers,
        retry_s=report.retry_s,
        param=report.param,
        body=None if read is None else body,
    )


def error_in(value: JsonObject, context: Context, *, is_error: bool = False) -> UpstreamError | None:
    """Return the error that a chunk or a body with status 200 holds, or None; `is_error` says it is one."""
    if not is_error and not value.get("error") and value.get("object") != "error":
        return None
    report = _report(value) or _Report(faults.snippet(jsontext.dumps(value)))
    return faults.upstream_error(
        context.provider,
        report.status or _STATUSES.get(report.code, 500),
        report.message,
        code=report.code,
        retry_s=report.retry_s,
        param=report.param,
    )


def _body_report(body: bytes) -> _Report | None:
    try:
        return _report(jsontext.loads(body))
    except JsonError:
        return None


def _page(status: int, body: bytes, context: Context) -> str:
    """Word an answer that is no JSON, or none that says anything."""
    shown = faults.snippet(body)
    return f"provider '{context.provider}' answered {status}: {shown}" if shown else ""


def _report(value: Any) -> _Report | None:
    """Read an error; None when the value has no words for one."""
    if isinstance(value, list):
        return _report(value[0]) if value else None
    if not isinstance(value, dict):
        return None
    inner = value.get("error")
    if isinstance(inner, str):
        inner = {**value, "message": inner}
    fields: JsonObject = inner if isinstance(inner, dict) else value
    message = _words(fields)
    if not message:
        return None
    param = fields.get("param")
    return _Report(
        message,
        code=_code(fields),
        status=_status(fields),
        param=param if isinstance(param, str) else None,
        retry_s=_stated_wait_s(fields),
    )


def _words(fields: JsonObject) -> str:
    """Return the message, with what the provider behind said and with what the model wrote wrongly."""
    message = _text(fields.get("message")) or _text(fields.get("detail")) or _text(fields.get("msg"))
    metadata = fields.get("metadata")
    raw = _raw_words(metadata.get("raw")) if isinstance(metadata, dict) else ""
    if raw and raw not in message:
        message = f"{message}: {raw}" if message else raw
    generation = fields.get("failed_generation")
    if isinstance(generation, str) and generation:
        message += f" (the model wrote: {generation[:_GENERATION_CHARS]})"
    return message


def _text(value: Any) -> str:
    """Return words from a text, a list of FastAPI's problems, or an object that holds either."""
    match value:
        case str(text):
            return text
        case list(items):
            return "; ".join(filter(None, map(_text, items[:20])))
        case {"msg": str(text), "loc": list(place)}:
            return f"{'.'.join(map(str, place))}: {text}"
        case {"message": inner} | {"detail": inner} | {"msg": inner}:
            return _text(inner)
    return ""


def _raw_words(raw: Any) -> str:
    """Return the words of the provider behind, which may be an error body of its own, as text or parsed."""
    if isinstance(raw, str):
        try:
            parsed = jsontext.loads_text(raw)
        except JsonError:
            return faults.snippet(raw.encode("utf-8", "replace"))
        raw = parsed if isinstance(parsed, dict | list) else {"message": raw}
    report = _report(raw)
    return "" if report is None else report.message


def _code(fields: JsonObject) -> str:
    """Return the most telling of the names that an error has."""
    names = (fields.get(key) for key in ("code", "status", "type"))
    return next((name for name in names if isinstance(name, str) and name and not name.isdecimal()), "")


def _status(fields: JsonObject) -> int | None:
    for key in ("code", "status_code", "status"):
        number = fields.get(key)
        if isinstance(number, str) and number.isdecimal() and len(number) == 3:
            number = int(number)
        if isinstance(number, int) and not isinstance(number, bool) and 400 <= number <= 599:
            return number
    return None


def _stated_wait_s(fields: JsonObject) -> int | None:
    """Read Google's `RetryInfo`, such as "34.07s"."""
    details = fields.get("details")
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str):
            return faults.duration_s(delay)
    return None
