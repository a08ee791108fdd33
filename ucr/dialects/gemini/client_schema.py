"""Gemini's `Schema` as JSON Schema."""

from typing import Any

from ucr.dialects.gemini.client_shape import field
from ucr.dialects.openai_chat.client_shape import wrong
from ucr.jsontext import JsonObject

DEPTH_LIMIT = 64

_NUMBERS = ("minItems", "maxItems", "minProperties", "maxProperties", "minLength", "maxLength")
_SAME = ("title", "description", "default", "pattern", "minimum", "maximum", "required", "format")
_FORMATS = frozenset({"enum", "float", "double", "int32", "int64"})
"""Formats that say nothing to JSON Schema."""


def json_schema(schema: JsonObject, path: str, depth: int = 0) -> JsonObject:
    """Return a schema of the API's own type as JSON Schema; raise `ApiError` 400 when it is too deep."""
    if depth > DEPTH_LIMIT:
        raise wrong(path, f"the schema is nested more than {DEPTH_LIMIT} levels deep")
    made: JsonObject = {key: schema[key] for key in _SAME if schema.get(key) is not None}
    if made.get("format") in _FORMATS:
        del made["format"]
    made |= {key: _number(found) for key in _NUMBERS if (found := field(schema, key)) is not None}
    kind = schema.get("type")
    if isinstance(kind, str) and kind != "TYPE_UNSPECIFIED":
        made["type"] = kind.lower()
    values = schema.get("enum")
    if isinstance(values, list):
        made["enum"] = [_value(value, made.get("type")) for value in values]
    _below(schema, made, path, depth)
    if schema.get("nullable") is True:
        _permit_null(made)
    return made


def _below(schema: JsonObject, made: JsonObject, path: str, depth: int) -> None:
    properties = schema.get("properties")
    if isinstance(properties, dict):
        made["properties"] = {
            name: _inner(part, f"{path}.properties.{name}", depth) for name, part in properties.items()
        }
    items = schema.get("items")
    if isinstance(items, dict):
        made["items"] = _inner(items, f"{path}.items", depth)
    choices = field(schema, "anyOf")
    if isinstance(choices, list):
        made["anyOf"] = [_inner(part, f"{path}.anyOf", depth) for part in choices]


def _inner(schema: Any, path: str, depth: int) -> JsonObject:
    return json_schema(schema, path, depth + 1) if isinstance(schema, dict) else {}


def _number(value: Any) -> Any:
    """The API's 64-bit numbers may be written as texts."""
    return (
        int(value)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19
        else value
    )


def _value(value: Any, kind: Any) -> Any:
    """Enumerations hold texts there, those of whole numbers too."""
    is_whole = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16
    return int(value) if kind == "integer" and is_whole else value


def _permit_null(made: JsonObject) -> None:
    if isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    if "enum" in made and None not in made["enum"]:
        made["enum"].append(None)
