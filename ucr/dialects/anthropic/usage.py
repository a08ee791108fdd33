"""The token counters of the Messages API, read and written.

Counters at the top of `usage` are the whole truth: `iterations`, which list the steps of a compaction or of a
fallback model, are already in them.
"""

from typing import Annotated

from msgspec import Meta, Struct, ValidationError, convert

from ucr.events import MOST_TOKENS, Usage
from ucr.jsontext import JsonObject

_Count = Annotated[int, Meta(ge=0, le=MOST_TOKENS)] | None


class _Details(Struct, gc=False):
    thinking_tokens: _Count = None


class _Written(Struct, gc=False):
    ephemeral_1h_input_tokens: _Count = None


class _Counters(Struct, gc=False):
    """The counters as nearly every provider writes them."""

    input_tokens: _Count = None
    output_tokens: _Count = None
    cache_read_input_tokens: _Count = None
    cache_creation_input_tokens: _Count = None
    output_tokens_details: _Details | None = None
    cache_creation: _Written | None = None


def read(value: object) -> Usage:
    """Read a `usage` object; whatever is no counter is not known."""
    try:
        told = convert(value, _Counters)
    except ValidationError:
        return _read_each(value)
    details, written = told.output_tokens_details, told.cache_creation
    return Usage(
        told.input_tokens,
        told.output_tokens,
        told.cache_read_input_tokens,
        told.cache_creation_input_tokens,
        None if details is None else details.thinking_tokens,
        None if written is None else written.ephemeral_1h_input_tokens or None,
    )


def _read_each(value: object) -> Usage:
    """Read the counters one by one, where one of them is none."""
    if not isinstance(value, dict):
        return Usage()
    details, written = value.get("output_tokens_details"), value.get("cache_creation")
    return Usage(
        input_tokens=_count(value.get("input_tokens")),
        output_tokens=_count(value.get("output_tokens")),
        cache_read_tokens=_count(value.get("cache_read_input_tokens")),
        cache_creation_tokens=_count(value.get("cache_creation_input_tokens")),
        thinking_tokens=_count(details.get("thinking_tokens")) if isinstance(details, dict) else None,
        cache_creation_1h_tokens=_count(written.get("ephemeral_1h_input_tokens")) or None
        if isinstance(written, dict)
        else None,
    )


def written(usage: Usage) -> JsonObject:
    """Write the counters that are known, and `output_tokens`, without which readers fail."""
    value: JsonObject = {}
    if usage.input_tokens is not None:
        value["input_tokens"] = usage.input_tokens
    if usage.cache_creation_tokens is not None:
        value["cache_creation_input_tokens"] = usage.cache_creation_tokens
    if usage.cache_read_tokens is not None:
        value["cache_read_input_tokens"] = usage.cache_read_tokens
    value["output_tokens"] = usage.output_tokens or 0
    if usage.thinking_tokens is not None:
        value["output_tokens_details"] = {"thinking_tokens": usage.thinking_tokens}
    if usage.web_searches is not None or usage.web_fetches is not None:
        value["server_tool_use"] = {
            "web_search_requests": usage.web_searches or 0,
            "web_fetch_requests": usage.web_fetches or 0,
        }
    return value


def written_whole(usage: Usage) -> JsonObject:
    """Write the counters where `input_tokens` is needed too: in a whole message and at a stream's start."""
    return {"input_tokens": 0, **written(usage)}


def _count(value: object) -> int | None:
    return min(value, MOST_TOKENS) if type(value) is int and value >= 0 else None
