"""The `generationConfig` of a Gemini request as canonical fields."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ucr.dialects.gemini.client_schema import json_schema
from ucr.dialects.gemini.client_shape import field, known
from ucr.dialects.openai_chat import client_schema
from ucr.dialects.openai_chat.client_options import JSON_INSTRUCTION, THINKING_BUDGET_MINIMUM
from ucr.dialects.openai_chat.client_shape import array, count, number, object_, shown, text, wrong
from ucr.dialects.openai_chat.notes import name as noted
from ucr.jsontext import JsonObject

LEVELS: Mapping[str, str] = MappingProxyType(
    {"MINIMAL": "low", "LOW": "low", "MEDIUM": "medium", "HIGH": "high", "XHIGH": "xhigh"}
)
_SAMPLING = (("temperature", "temperature"), ("topP", "top_p"), ("topK", "top_k"))
_READ = frozenset(
    {
        *(
            "temperature",
            "topP",
            "topK",
            "maxOutputTokens",
            "stopSequences",
            "candidateCount",
            "thinkingConfig",
        ),
        *("responseMimeType", "responseSchema", "responseJsonSchema", "responseModalities"),
    }
)


def config_of(body: JsonObject) -> JsonObject:
    """Return the config, {} when there is none."""
    given = field(body, "generationConfig")
    return {} if given is None else object_(given, "generationConfig")


def options(config: JsonObject, notes: list[str]) -> JsonObject:
    """Return the canonical fields that the config amounts to; raise `ApiError` 400 for what cannot be said."""
    made: JsonObject = {}
    limit = field(config, "maxOutputTokens")
    if limit is not None:
        made["max_tokens"] = count(limit, "generationConfig.maxOutputTokens")
    for name, key in _SAMPLING:
        value = field(config, name)
        if value is not None:
            made[key] = _number(value, key, f"generationConfig.{name}")
    stops = _stops(field(config, "stopSequences"))
    if stops:
        made["stop_sequences"] = stops
    _check_answers(config)
    output: JsonObject = {}
    schema = _schema(config)
    if schema is not None:
        output["format"] = {"type": "json_schema", "schema": schema}
    thinking, effort = _thinking(field(config, "thinkingConfig"))
    made |= {} if thinking is None else {"thinking": thinking}
    output |= {} if effort is None else {"effort": effort}
    made |= {"output_config": output} if output else {}
    notes += [f"dropped {noted(name)}" for name in known(config, _READ)]
    return made


def _number(value: Any, key: str, path: str) -> float:
    found = number(value, path)
    return int(found) if key == "top_k" else found


def instruction(config: JsonObject, notes: list[str]) -> list[JsonObject]:
    """Return the system text that stands for JSON without a schema."""
    if field(config, "responseMimeType") != "application/json" or _schema(config) is not None:
        return []
    notes.append("responseMimeType application/json was sent as an instruction")
    return [{"type": "text", "text": JSON_INSTRUCTION}]


def shows_thoughts(body: JsonObject) -> bool:
    """True when the client wants to see thoughts; whatever is odd in the body, nothing is raised."""
    config = field(body, "generationConfig")
    thinking = field(config, "thinkingConfig") if isinstance(config, dict) else None
    return isinstance(thinking, dict) and field(thinking, "includeThoughts") is True


def _stops(given: Any) -> list[str]:
    path = "generationConfig.stopSequences"
    found = array([] if given is None else given, path)
    return [words for index, item in enumerate(found) if (words := text(item, f"{path}[{index}]")).strip()]


def _check_answers(config: JsonObject) -> None:
    """Refuse what would need another kind of answer: several candidates, images, or sound."""
    candidates = field(config, "candidateCount")
    if candidates is not None and count(candidates, "generationConfig.candidateCount") != 1:
        raise wrong("generationConfig.candidateCount", "this provider gives one answer; ask again for another")
    path = "generationConfig.responseModalities"
    modalities = field(config, "responseModalities")
    if any(kind not in ("TEXT", "text") for kind in array(modalities or [], path)):
        raise wrong(path, "this provider answers in text only")


def _schema(config: JsonObject) -> JsonObject | None:
    path = "generationConfig.responseJsonSchema"
    found = field(config, "responseJsonSchema")
    if found is None:
        path = "generationConfig.responseSchema"
        given = field(config, "responseSchema")
        found = None if given is None else json_schema(object_(given, path), path)
    return None if found is None else client_schema.compiled(object_(found, path), path)


def _thinking(given: Any) -> tuple[JsonObject | None, str | None]:
    """Return `thinking` and an effort: a budget of 0 switches it off, one of -1 leaves it to the model."""
    if given is None:
        return None, None
    path = "generationConfig.thinkingConfig"
    wish = object_(given, path)
    level, budget = field(wish, "thinkingLevel"), field(wish, "thinkingBudget")
    if level not in (None, "THINKING_LEVEL_UNSPECIFIED"):
        effort = LEVELS.get(level.upper()) if isinstance(level, str) else None
        if effort is None:
            raise wrong(f"{path}.thinkingLevel", f"expected one of {', '.join(LEVELS)}, not {shown(level)}")
        return {"type": "adaptive"}, effort
    if budget is None:
        return ({"type": "adaptive"}, None) if field(wish, "includeThoughts") is True else (None, None)
    if budget == 0:
        return {"type": "disabled"}, None
    if budget == -1:
        return {"type": "adaptive"}, None
    tokens = max(count(budget, f"{path}.thinkingBudget"), THINKING_BUDGET_MINIMUM)
    return {"type": "enabled", "budget_tokens": tokens}, None
