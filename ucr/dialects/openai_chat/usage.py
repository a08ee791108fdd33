"""Token counts of chat-completions answers.

Providers agree on `prompt_tokens` and `completion_tokens` and on little else. `prompt_tokens` includes what
came from a cache, which Anthropic counts apart. Sources: the API references of OpenAI, DeepSeek
(`prompt_cache_hit_tokens`), Groq (`x_groq.usage`), xAI (reasoning outside of `completion_tokens`).
"""

import math
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from ucr.events import MOST_TOKENS, Usage
from ucr.jsontext import JsonObject

CHARS_PER_TOKEN = 4

_Count: TypeAlias = Annotated[int, Meta(ge=0, le=MOST_TOKENS)] | None


class PlainPromptDetails(Struct, frozen=True, gc=False):
    cached_tokens: _Count = None
    cache_write_tokens: _Count = None


class PlainCompletionDetails(Struct, frozen=True, gc=False):
    reasoning_tokens: _Count = None


class PlainUsage(Struct, frozen=True, gc=False):
    """Counters as most providers have them, for answers that are read by types; others do not fit."""

    prompt_tokens: _Count = None
    completion_tokens: _Count = None
    total_tokens: _Count = None
    prompt_tokens_details: PlainPromptDetails | None = None
    completion_tokens_details: PlainCompletionDetails | None = None
    prompt_cache_hit_tokens: _Count = None


def chunk_usage(chunk: JsonObject) -> Usage | None:
    """Return the usage of an answer or a chunk, or None when it has none."""
    if not chunk.get("usage") and "x_groq" not in chunk:
        return None
    return usage_of(chunk.get("usage")) or usage_of(_object(chunk.get("x_groq")).get("usage"))


def usage_of(raw: object) -> Usage | None:
    """Read a usage object; None when it has no counter that can be read."""
    fields = _object(raw)
    prompt, completion = _count(fields.get("prompt_tokens")), _count(fields.get("completion_tokens"))
    prompt_details = _object(fields.get("prompt_tokens_details"))
    read = _first_count(prompt_details.get("cached_tokens"), fields.get("prompt_cache_hit_tokens"))
    written = _count(prompt_details.get("cache_write_tokens"))
    thinking = _count(_object(fields.get("completion_tokens_details")).get("reasoning_tokens"))
    return _usage(prompt, completion, read, written, thinking, _count(fields.get("total_tokens")))


def plain_usage_of(counters: PlainUsage) -> Usage | None:
    """Read plain counters as `usage_of` does."""
    read, written, thinking = counters.prompt_cache_hit_tokens, None, None
    if (prompt_details := counters.prompt_tokens_details) is not None:
        read = read if prompt_details.cached_tokens is None else prompt_details.cached_tokens
        written = prompt_details.cache_write_tokens
    if (details := counters.completion_tokens_details) is not None:
        thinking = details.reasoning_tokens
    prompt, completion = counters.prompt_tokens, counters.completion_tokens
    return _usage(prompt, completion, read, written, thinking, counters.total_tokens)


def estimated(chars: int) -> int:
    """Return output tokens for a provider that counts none: at least one for any content."""
    return -(-chars // CHARS_PER_TOKEN)


def _usage(
    prompt: int | None,
    completion: int | None,
    read: int | None,
    written: int | None,
    thinking: int | None,
    total: int | None,
) -> Usage | None:
    """Make counters of what a provider counted; reasoning is added where the total proves it left out."""
    if prompt is None and completion is None:
        return None
    output = completion
    if completion is not None and thinking and total == (prompt or 0) + completion + thinking:
        output = completion + thinking
    return Usage(
        None if prompt is None else max(0, prompt - (read or 0) - (written or 0)),
        output,
        read,
        written,
        thinking if thinking is None or output is None else min(thinking, output),
    )


def _object(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _first_count(first: object, second: object) -> int | None:
    count = _count(first)
    return _count(second) if count is None else count


def _count(value: object) -> int | None:
    """Return a count that is one: neither negative nor a word, and never a bool."""
    if type(value) is int:
        return min(value, MOST_TOKENS) if value >= 0 else None
    if not isinstance(value, float):
        return None
    return min(int(value), MOST_TOKENS) if math.isfinite(value) and value >= 0 else None
