"""A JSON Schema for structured answers, cut down to what the Anthropic API compiles.

What is not supported there is a 400, so a constraint that goes moves into the description, where the model
still reads it. Source of the lists: Anthropic documentation, "Structured outputs", "JSON Schema limitations".
"""

from types import MappingProxyType
from typing import Any

from ucr import jsontext
from ucr.dialects.openai_chat.client_shape import wrong
from ucr.jsontext import JsonObject

DEPTH_LIMIT = 64

_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
_CONSTRAINTS = frozenset(
    {
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
        "minLength", "maxLength", "pattern", "maxItems", "uniqueItems", "contains", "prefixItems",
        "minProperties", "maxProperties", "patternProperties", "propertyNames", "not", "if", "then", "else",
    }
)  # fmt: skip
_SUBSCHEMAS = MappingProxyType({"items": "one", "anyOf": "list", "allOf": "list", "properties": "map"})
_DEFINITIONS = ("$defs", "definitions")
_DROPPED = frozenset({"$schema", "$id", "$comment", "additionalProperties", "oneOf"})


def compiled(schema: JsonObject, path: str, depth: int = 0) -> JsonObject:
    """Return a schema that is accepted for `output_config.format`; raise `ApiError` 400 when it is too deep.

    Objects are closed, as they must be; `oneOf` becomes `anyOf`.
    """
    if depth > DEPTH_LIMIT:
        raise wrong(path, f"the schema is nested more than {DEPTH_LIMIT} levels deep")
    made: JsonObject = {}
    told: JsonObject = {}
    for key, value in schema.items():
        if key in _CONSTRAINTS or _is_unsupported(key, value):
            told[key] = value
        elif key in _SUBSCHEMAS or key in _DEFINITIONS:
            made[key] = _below(key, value, f"{path}.{key}", depth + 1)
        elif key not in _DROPPED:
            made[key] = value
    if "oneOf" in schema:
        made["anyOf"] = _below("anyOf", schema["oneOf"], f"{path}.oneOf", depth + 1)
    if _is_object(made):
        made["additionalProperties"] = False
    return _with_words(made, told)


def _is_unsupported(key: str, value: Any) -> bool:
    match key:
        case "format":
            return not (isinstance(value, str) and value in _FORMATS)
        case "minItems":
            return value not in (0, 1)
        case "additionalProperties":
            return isinstance(value, dict)
        case _:
            return False


def _is_object(schema: JsonObject) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in schema


def _below(key: str, value: Any, path: str, depth: int) -> Any:
    """Compile what stands under a keyword; what is not a schema there is left for the provider to refuse."""
    shape = _SUBSCHEMAS.get(key, "map")
    if shape == "list" and isinstance(value, list):
        return [_compiled_if_schema(item, f"{path}[{index}]", depth) for index, item in enumerate(value)]
    if shape == "map" and isinstance(value, dict):
        return {name: _compiled_if_schema(item, f"{path}.{name}", depth) for name, item in value.items()}
    return _compiled_if_schema(value, path, depth)


def _compiled_if_schema(value: Any, path: str, depth: int) -> Any:
    return compiled(value, path, depth) if isinstance(value, dict) else value


def _with_words(schema: JsonObject, told: JsonObject) -> JsonObject:
    if not told:
        return schema
    words = ", ".join(f"{key}: {jsontext.dumps(value).decode()}" for key, value in told.items())
    described = schema.get("description")
    before = f"{described} " if isinstance(described, str) and described else ""
    return {**schema, "description": f"{before}({words})"}
