"""Token counts of Converse answers: the input excludes what was read from a cache or written to it.

Source: the model of the Bedrock runtime, `TokenUsage` and `CacheDetail`.
"""

from ucr.dialects.openai_chat.source import object_of, objects_of
from ucr.events import MOST_TOKENS, Usage
from ucr.jsontext import JsonObject


def usage_of(value: JsonObject) -> Usage:
    """Read the counters of an answer, or of the event that holds them; those that it does not have are not known."""
    counters = object_of(value.get("usage"))
    hours = [
        count
        for detail in objects_of(counters.get("cacheDetails"))
        if detail.get("ttl") == "1h" and (count := _count(detail, "inputTokens")) is not None
    ]
    return Usage(
        input_tokens=_count(counters, "inputTokens"),
        output_tokens=_count(counters, "outputTokens"),
        cache_read_tokens=_count(counters, "cacheReadInputTokens"),
        cache_creation_tokens=_count(counters, "cacheWriteInputTokens"),
        cache_creation_1h_tokens=sum(hours) if hours else None,
    )


def _count(counters: JsonObject, key: str) -> int | None:
    value = counters.get(key)
    return min(value, MOST_TOKENS) if type(value) is int and value >= 0 else None
