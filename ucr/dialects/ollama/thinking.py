"""Whether, and how much, a model of Ollama's shall think.

Most of those that think are told yes or no; gpt-oss takes a level and cannot be told no. A model that does not
think refuses to be asked: hence only those are asked of which the catalogue says so.
"""

from ucr.dialects.openai_chat.reasoning import Wish, nearest_effort
from ucr.jsontext import JsonObject

SWITCH = "default"
"""The effort of a model that is told yes or no."""


def write_thinking(wish: Wish, efforts: tuple[str, ...]) -> JsonObject:
    """Return `think`; {} to leave it to the model."""
    if not efforts or not (wish.is_on or wish.is_off or wish.strength):
        return {}
    if SWITCH in efforts:
        return {"think": not wish.is_off and wish.strength != "none"}
    if wish.is_off:
        return {"think": nearest_effort("low", efforts)}
    return {"think": nearest_effort(wish.strength, efforts)} if wish.strength else {}
