"""Token counts of Gemini answers.

Every chunk of a stream counts all so far. `promptTokenCount` includes what came from a cache, but not what the
model's own tools read; `candidatesTokenCount` leaves out the thinking. Source: `GenerateContentResponse.UsageMetadata` of
the API's reference.
"""

from ucr.events import MOST_TOKENS, Usage
from ucr.jsontext import JsonObject


def usage_of(value: JsonObject) -> Usage:
    """Read the counters of an answer or a chunk; those that it does not have are not known."""
    counters = value.get("usageMetadata")
    if not isinstance(counters, dict):
        return Usage()
    prompt, cached = _count(counters, "promptTokenCount"), _count(counters, "cachedContentTokenCount")
    written, thought = _count(counters, "candidatesTokenCount"), _count(counters, "thoughtsTokenCount")
    tools = _count(counters, "toolUsePromptTokenCount")
    return Usage(
        input_tokens=None if prompt is None else max(0, prompt - (cached or 0)) + (tools or 0),
        output_tokens=None if written is None and thought is None else (written or 0) + (thought or 0),
        cache_read_tokens=cached,
        thinking_tokens=thought,
    )


def _count(counters: JsonObject, key: str) -> int | None:
    value = counters.get(key)
    return min(value, MOST_TOKENS) if type(value) is int and value >= 0 else None
