"""JSON Schemas of tools and answers, in the form that a provider takes.

Keywords are changed, names of properties never: a property may well be called `const`, `$ref` or `format`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ucr.jsontext import JsonObject

NODES_LIMIT = 4_000
"""References are written out; this many schemas in one, and the rest is any object."""

_KEPT = frozenset(
    [
        *("type", "format", "title", "description", "nullable", "enum", "default", "anyOf"),
        *("items", "minItems", "maxItems", "properties", "required", "minProperties", "maxProperties"),
        *("minLength", "maxLength", "pattern", "minimum", "maximum"),
    ]
)
_RENAMED: Mapping[str, str] = MappingProxyType(
    {"oneOf": "anyOf", "exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
)


def tool_parameters(schema: object, *, plain: bool) -> JsonObject:
    """Return a tool's schema as an object schema with properties, without what only names its dialect.

    `plain` keeps to the subset of the Gemini API's `Schema` type ("Function calling" in its reference).
    """
    source = schema if isinstance(schema, dict) else {}
    if plain:
        source = _Plain(source).write(source)
    result = dict(source)
    result.pop("$schema", None)
    result.pop("$id", None)
    result["type"] = "object"
    if not isinstance(result.get("properties"), dict):
        result["properties"] = {}
    return result


def plain_schema(schema: JsonObject) -> JsonObject:
    """Return any schema in the Gemini subset."""
    return _Plain(schema).write(schema)


def is_strict(schema: object) -> bool:
    """True when OpenAI's strict mode takes a schema: every property required, and no others allowed."""
    if isinstance(schema, list):
        return all(is_strict(item) for item in schema)
    if not isinstance(schema, dict):
        return True
    properties = schema.get("properties")
    if isinstance(properties, dict) or schema.get("type") == "object":
        required = schema.get("required", [])
        if schema.get("additionalProperties") is not False or not isinstance(required, list):
            return False
        if any(name not in required for name in properties or ()):
            return False
    return all(is_strict(part) for part in _inner(schema))


def _inner(schema: JsonObject) -> list[object]:
    """The schemas inside a schema: values of keywords, and those of properties whatever their names are."""
    found: list[object] = []
    for key, value in schema.items():
        if key in ("properties", "$defs", "definitions"):
            found += value.values() if isinstance(value, dict) else ()
        elif key in ("items", "anyOf", "oneOf", "allOf"):
            found.append(value)
    return found


class _Plain:
    """Rewrites one schema; knows where its references point, and how much it has written."""

    def __init__(self, root: JsonObject) -> None:
        self._root = root
        self._nodes = 0

    def write(self, schema: object, seen: tuple[str, ...] = ()) -> JsonObject:
        self._nodes += 1
        if not isinstance(schema, dict) or self._nodes > NODES_LIMIT:
            return {"type": "object"}
        reference = schema.get("$ref")
        if isinstance(reference, str):
            found = self._find(reference)
            if reference in seen or found is None:
                return {"type": "object"}
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            return self.write({**found, **beside}, (*seen, reference))
        result: JsonObject = {}
        for key, value in self._flat(schema).items():
            name = _RENAMED.get(key, key)
            if name in _KEPT:
                result[name] = self._value(name, value, seen)
        return _typed(result, schema)

    def _value(self, key: str, value: Any, seen: tuple[str, ...]) -> Any:
        if key == "properties" and isinstance(value, dict):
            return {name: self.write(part, seen) for name, part in value.items()}
        if key == "items":
            return self.write(value[0] if isinstance(value, list) and value else value, seen)
        if key == "anyOf" and isinstance(value, list):
            return [self.write(part, seen) for part in value]
        return value

    def _flat(self, schema: JsonObject) -> JsonObject:
        """Lay the parts of `allOf` over one another: properties and required names add up."""
        parts = schema.get("allOf")
        if not isinstance(parts, list):
            return schema
        flat = dict(schema)
        for part in parts:
            source = self._find(part["$ref"]) if _refers(part) else part
            for key, value in (source or {}).items() if isinstance(source or {}, dict) else ():
                flat[key] = _added(flat.get(key), value)
        return flat

    def _find(self, reference: str) -> JsonObject | None:
        node: object = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            node = node.get(name) if isinstance(node, dict) else None
        return node if isinstance(node, dict) and reference.startswith("#") else None


def _refers(part: object) -> bool:
    return isinstance(part, dict) and isinstance(part.get("$ref"), str)


def _added(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **new}
    if isinstance(old, list) and isinstance(new, list):
        return [*old, *(item for item in new if item not in old)]
    return new


def _typed(result: JsonObject, source: JsonObject) -> JsonObject:
    """Say types, constants and enumerations as the subset says them."""
    if "const" in source:
        result["enum"] = [source["const"]]
    types = result.get("type")
    if isinstance(types, list):
        named = [name for name in types if name != "null"]
        result["type"] = named[0] if named else "string"
        if "null" in types:
            result["nullable"] = True
    values = result.get("enum")
    if isinstance(values, list):
        _enumerate(result, values)
    return result


def _enumerate(result: JsonObject, values: list[Any]) -> None:
    if None in values:
        result["nullable"] = True
    said = [value for value in values if value is not None]
    if said and all(isinstance(value, int) and not isinstance(value, bool) for value in said):
        result["type"] = "integer"
        result["format"] = "enum"
    result["enum"] = [value if isinstance(value, str) else _word(value) for value in said]
    result.setdefault("type", "string")
    if not said:
        del result["enum"]


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
