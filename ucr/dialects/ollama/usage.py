"""Token counts of Ollama's answers.

The last line has them; a count of 0, as of a prompt that was cached as a whole, is left out there.
Source: `Metrics` in the API's types.
"""

from ucr.events import MOST_TOKENS, Usage
from ucr.jsontext import JsonObject


def usage_of(value: JsonObject) -> Usage:
    """Read the counters of an answer or a line; those that it does not have are not known."""
    return Usage(
        input_tokens=_count(value.get("prompt_eval_count")), output_tokens=_count(value.get("eval_count"))
    )


def _count(value: object) -> int | None:
    return min(value, MOST_TOKENS) if type(value) is int and value >= 0 else None
