"""The schemas of tools in Gemini's `Schema` type, and which keywords that has no words for.

Source: the reference of the Gemini API, "Schema". References are written out and constants become enumerations, as
`ucr.dialects.openai_chat.schema` does it; what cannot be said is left out, and the client is told.
"""

from ucr.dialects.openai_chat.schema import plain_schema
from ucr.jsontext import JsonObject

LOST_LIMIT = 4
"""As many of the lost keywords are named."""

_SAID = frozenset(
    [
        *("type", "format", "title", "description", "nullable", "enum", "default", "anyOf", "oneOf", "allOf"),
        *("items", "minItems", "maxItems", "properties", "required", "minProperties", "maxProperties"),
        *("minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        *("const", "$ref", "$defs", "definitions", "$schema", "$id", "$comment", "examples"),
        "additionalProperties",
    ]
)
"""Keywords that are said in one way or another, or that bind nobody: Gemini fills in no properties of its own."""

_DEPTH_LIMIT = 60


def declared(schema: object) -> tuple[JsonObject | None, tuple[str, ...]]:
    """Return the parameters of a function, and the keywords that are lost.

    None stands for a function without parameters: an object without properties is refused at the root.
    """
    if not isinstance(schema, dict):
        return None, ()
    written = _spelt({**plain_schema(schema), "type": "object"}, 0)
    if not isinstance(written.get("properties"), dict) or not written["properties"]:
        return None, ()
    found: set[str] = set()
    _lose(schema, found, 0)
    return written, tuple(sorted(found))[:LOST_LIMIT]


def _spelt(schema: JsonObject, depth: int) -> JsonObject:
    """Write the names of types as Gemini does, and cut what is nested too deeply."""
    if depth > _DEPTH_LIMIT:
        return {"type": "OBJECT"}
    written = dict(schema)
    kind = written.get("type")
    if isinstance(kind, str):
        written["type"] = kind.upper()
    elif kind is not None:
        del written["type"]
    properties = written.get("properties")
    if isinstance(properties, dict):
        written["properties"] = {name: _spelt(part, depth + 1) for name, part in properties.items()}
        _require(written)
    elif properties is not None:
        del written["properties"]
    if isinstance(written.get("items"), dict):
        written["items"] = _spelt(written["items"], depth + 1)
    if isinstance(written.get("anyOf"), list):
        written["anyOf"] = [_spelt(part, depth + 1) for part in written["anyOf"]]
    return written


def _require(written: JsonObject) -> None:
    """Require properties that there are: Gemini refuses others."""
    required = written.pop("required", None)
    names = [name for name in required if name in written["properties"]] if isinstance(required, list) else []
    if names:
        written["required"] = names


def _lose(schema: object, found: set[str], depth: int) -> None:
    """Note the keywords of a schema, and of those inside, that are not said."""
    if isinstance(schema, list):
        for part in schema:
            _lose(part, found, depth + 1)
    if not isinstance(schema, dict) or depth > _DEPTH_LIMIT:
        return
    found |= schema.keys() - _SAID
    for key in ("properties", "$defs", "definitions"):
        inner = schema.get(key)
        for part in inner.values() if isinstance(inner, dict) else ():
            _lose(part, found, depth + 1)
    for key in ("items", "anyOf", "oneOf", "allOf"):
        _lose(schema.get(key), found, depth + 1)
