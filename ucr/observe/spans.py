"""What OpenTelemetry is told of a request that has ended: one span for it, and one for each attempt. Pure.

The names are those of the GenAI semantic conventions as published at version 1.37 and later; what has no name there is
below `ucr.`. Nothing of what was said is in a span.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlsplit

from ucr.config.model import Config
from ucr.record import Record

Value = str | int | float | bool | tuple[str, ...]

OPERATION = "chat"
FAILED_STATUS = 400
_TEXT_CHARS = 300
_KNOWN: Mapping[str, str] = MappingProxyType(
    {
        "azure": "azure.ai.openai",
        "bedrock": "aws.bedrock",
        "gemini": "gcp.gemini",
        "mistral": "mistral_ai",
        "vertex": "gcp.vertex_ai",
        "xai": "x_ai",
    }
)
"""The conventions' names of providers that are called otherwise in the catalogue; others have the same."""


@dataclass(frozen=True, slots=True)
class Span:
    """`kind` is `server` for the request and `client` for an attempt; times are Unix times, in seconds.

    `span_id` is 0 for one that nobody knows of yet.
    """

    name: str
    kind: Literal["server", "client"]
    began_s: float
    ended_s: float
    attributes: Mapping[str, Value]
    is_error: bool
    span_id: int = 0


def spans_of(record: Record, config: Config, now_s: float, unix_s: float) -> tuple[Span, ...]:
    """Return the span of a request, and those of its attempts in their order.

    `now_s` is the end of the request on the loop's clock, and `unix_s` the same moment on the wall. An attempt begins
    where the one before has ended, the first with the request: waiting for a permit is in it.
    """
    offset_s, began_s, spans = unix_s - now_s, record.began_s, []
    for tried in record.tried:
        attributes = _of_call(config, tried.provider, tried.model) | {"error.type": tried.error.type}
        if tried.error.status:
            attributes["http.response.status_code"] = tried.error.status
        name = f"{OPERATION} {tried.model}"
        ended_s = tried.ended_s + offset_s
        spans.append(_span(name, "client", began_s + offset_s, ended_s, attributes, tried.span_id))
        began_s = tried.ended_s
    if record.attempts > len(record.tried):
        attributes = _of_call(config, record.provider, record.model_used) | _of_answer(record)
        name = f"{OPERATION} {record.model_used}"
        spans.append(_span(name, "client", began_s + offset_s, unix_s, attributes, record.span_id))
    whole = _span(
        f"{OPERATION} {record.model_asked}", "server", record.began_s + offset_s, unix_s, _of_request(record)
    )
    return (whole, *spans)


def _span(
    name: str,
    kind: Literal["server", "client"],
    began_s: float,
    ended_s: float,
    attributes: Mapping[str, Value | None],
    span_id: int = 0,
) -> Span:
    told = {key: _short(value) for key, value in attributes.items() if value is not None and value != ""}
    return Span(_clip(name.strip()), kind, began_s, max(began_s, ended_s), told, "error.type" in told, span_id)


def _of_request(record: Record) -> dict[str, Value | None]:
    return {
        "gen_ai.operation.name": OPERATION,
        "gen_ai.provider.name": provider_name(record.provider),
        "gen_ai.request.model": record.model_asked,
        "gen_ai.conversation.id": record.session_id,
        **_of_answer(record),
        "ucr.request_id": record.request_id,
        "ucr.dialect": record.dialect,
        "ucr.route": record.route,
        "ucr.tier": record.tier,
        "ucr.cache": record.cache,
        "ucr.stream": record.stream,
        "ucr.attempts": record.attempts,
        "ucr.client": record.client,
    }


def _of_answer(record: Record) -> dict[str, Value | None]:
    usage, reason = record.summary.usage, record.summary.stop_reason
    status = record.status or None
    failed = str(status) if status is not None and status >= FAILED_STATUS else None
    return {
        "gen_ai.response.model": record.model_used,
        "gen_ai.response.finish_reasons": None if reason is None else (reason,),
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens,
        "http.response.status_code": status,
        "error.type": record.error_type or failed,
    }


def _of_call(config: Config, provider_id: str, model: str) -> dict[str, Value | None]:
    provider = config.provider(provider_id)
    url = None if provider is None else urlsplit(provider.base_url)
    return {
        "gen_ai.operation.name": OPERATION,
        "gen_ai.provider.name": provider_name(provider_id),
        "gen_ai.request.model": model,
        "server.address": None if url is None else url.hostname,
        "server.port": None if url is None else url.port or (443 if url.scheme == "https" else 80),
        "ucr.provider": provider_id,
    }


def texts_of(attributes: Mapping[str, Value]) -> list[str]:
    """Return all texts among the values of attributes."""
    texts = [value for value in attributes.values() if isinstance(value, str)]
    return texts + [text for value in attributes.values() if isinstance(value, tuple) for text in value]


def provider_name(provider_id: str) -> str:
    """Return the conventions' name of a provider, or its id where they have none."""
    return _KNOWN.get(provider_id, provider_id)


def _short(value: Value) -> Value:
    return _clip(value) if isinstance(value, str) else value


def _clip(text: str) -> str:
    return text if len(text) <= _TEXT_CHARS else text[:_TEXT_CHARS]
