"""Token counts of chat-completions answers.

Providers agree on `prompt_tokens` and `completion_tokens` and on little else. `prompt_tokens` includes what
came from a cache, which Anthropic counts apart. Sources: the API references of OpenAI, DeepSeek
(`prompt_cache_hit_tokens`), Groq (`x_groq.usage`), xAI (reasoning outside of `completion_tokens`).
"""

import math

from ucr.events import MOST_TOKENS, Usage
from ucr.jsontext import JsonObject

CHARS_PER_TOKEN = 4


def chunk_usage(chunk: JsonObject) -> Usage | None:
    """Return the usage of an answer or a chunk, or None when it has none."""
    if not chunk.get("usage") and "x_groq" not in chunk:
        return None
    return usage_of(chunk.get("usage")) or usage_of(_object(chunk.get("x_groq")).get("usage"))


def usage_of(raw: object) -> Usage | None:
    """Read a usage object; None when it has no counter that can be read."""
    fields = _object(raw)
    prompt, completion = _count(fields.get("prompt_tokens")), _count(fields.get("completion_tokens"))
    if prompt is None and completion is None:
        return None
    prompt_details = _object(fields.get("prompt_tokens_details"))
    read = _first_count(prompt_details.get("cached_tokens"), fields.get("prompt_cache_hit_tokens"))
    written = _count(prompt_details.get("cache_write_tokens"))
    thinking = _count(_object(fields.get("completion_tokens_details")).get("reasoning_tokens"))
    output = _output(prompt, completion, thinking, _count(fields.get("total_tokens")))
    return Usage(
        input_tokens=None if prompt is None else max(0, prompt - (read or 0) - (written or 0)),
        output_tokens=output,
        cache_read_tokens=read,
        cache_creation_tokens=written,
        thinking_tokens=thinking if thinking is None or output is None else min(thinking, output),
    )


def estimated(chars: int) -> int:
    """Return output tokens for a provider that counts none: at least one for any content."""
    return -(-chars // CHARS_PER_TOKEN)


def _output(prompt: int | None, completion: int | None, thinking: int | None, total: int | None) -> int | None:
    """Add the reasoning where the total proves that `completion_tokens` leaves it out."""
    if completion is not None and thinking and total == (prompt or 0) + completion + thinking:
        return completion + thinking
    return completion


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
