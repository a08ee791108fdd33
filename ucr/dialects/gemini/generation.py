"""The `generationConfig` of a Gemini request: limits, sampling, thinking, and the shape of the answer."""

from ucr.dialects.gemini.thinking import write_thinking
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.parameters import answer_schema, max_tokens_of
from ucr.dialects.openai_chat.source import text_of
from ucr.dialects.roles import Target
from ucr.jsontext import JsonObject

STOP_LIMIT = 5
"""As many stop sequences as the API takes."""

_SAMPLING = (("temperature", "temperature"), ("top_p", "topP"), ("top_k", "topK"))


def write_generation(body: JsonObject, target: Target, notes: Notes) -> JsonObject:
    """Return the config, {} when there is nothing to say."""
    max_tokens = max_tokens_of(body, target, notes)
    made: JsonObject = {} if max_tokens is None else {"maxOutputTokens": max_tokens}
    for key, name in _SAMPLING:
        value = body.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            made[name] = value
    made |= _stops(body.get("stop_sequences"), notes)
    thinking = write_thinking(body, target, max_tokens)
    if thinking:
        made["thinkingConfig"] = thinking
    schema = answer_schema(body)
    if schema is not None:
        made["responseMimeType"] = "application/json"
        made["responseJsonSchema"] = {key: value for key, value in schema.items() if key != "$schema"}
    if text_of(body.get("service_tier")) not in ("", "auto"):
        notes.dropped("service_tier")
    return made


def _stops(value: object, notes: Notes) -> JsonObject:
    found = value if isinstance(value, list) else []
    stops = [text for text in found if isinstance(text, str) and text.strip()]
    if len(stops) > STOP_LIMIT:
        notes.add(f"dropped {len(stops) - STOP_LIMIT} of {len(stops)} stop sequences")
    return {"stopSequences": stops[:STOP_LIMIT]} if stops else {}
