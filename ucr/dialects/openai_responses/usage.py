"""Token counts of Responses answers, in which the input includes what came from a cache."""

from ucr.dialects.openai_chat.usage import usage_of as chat_usage
from ucr.events import Usage
from ucr.jsontext import JsonObject


def usage_of(raw: object) -> Usage | None:
    """Read a usage object; None when it has no counter that can be read."""
    if not isinstance(raw, dict):
        return None
    fields: JsonObject = {
        "prompt_tokens": raw.get("input_tokens"),
        "completion_tokens": raw.get("output_tokens"),
        "prompt_tokens_details": raw.get("input_tokens_details"),
        "completion_tokens_details": raw.get("output_tokens_details"),
    }
    return chat_usage(fields)
