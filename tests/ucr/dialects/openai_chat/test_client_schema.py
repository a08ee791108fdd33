from typing import Any

import pytest

from ucr.dialects.openai_chat.client_schema import compiled
from ucr.errors import ApiError


def test_a_strict_schema_stays_as_it_is() -> None:
    tags = {"type": "array", "items": {"enum": ["a"]}, "minItems": 1}
    schema = {
        "type": "object",
        "properties": {"title": {"type": "string", "format": "date"}, "tags": tags},
        "required": ["title"],
        "additionalProperties": False,
    }
    assert compiled(schema, "s") == schema


def test_objects_are_closed_everywhere() -> None:
    schema = {"anyOf": [{"type": ["object", "null"]}, {"properties": {"a": {"type": "object"}}}]}
    assert compiled(schema, "s") == {
        "anyOf": [
            {"type": ["object", "null"], "additionalProperties": False},
            {
                "properties": {"a": {"type": "object", "additionalProperties": False}},
                "additionalProperties": False,
            },
        ]
    }


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (
            {"type": "integer", "minimum": 1, "maximum": 9},
            {"type": "integer", "description": "(minimum: 1, maximum: 9)"},
        ),
        (
            {"type": "string", "pattern": "^a$", "description": "A letter."},
            {"type": "string", "description": 'A letter. (pattern: "^a$")'},
        ),
        ({"type": "string", "format": "color"}, {"type": "string", "description": '(format: "color")'}),
        ({"type": "array", "minItems": 2}, {"type": "array", "description": "(minItems: 2)"}),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}},
            {
                "type": "object",
                "additionalProperties": False,
                "description": '(additionalProperties: {"type":"integer"})',
            },
        ),
    ],
)
def test_a_constraint_that_is_not_supported_is_told_in_words(schema: Any, expected: Any) -> None:
    assert compiled(schema, "s") == expected


def test_one_of_becomes_any_of_and_meta_fields_go() -> None:
    schema = {"$schema": "x", "$id": "y", "oneOf": [{"type": "string"}, True]}
    assert compiled(schema, "s") == {"anyOf": [{"type": "string"}, True]}


def test_definitions_are_compiled_and_references_stay() -> None:
    schema = {"$ref": "#/$defs/A", "$defs": {"A": {"type": "object", "maxProperties": 1}}}
    assert compiled(schema, "s") == {
        "$ref": "#/$defs/A",
        "$defs": {"A": {"type": "object", "additionalProperties": False, "description": "(maxProperties: 1)"}},
    }


def test_a_property_may_have_the_name_of_a_keyword() -> None:
    schema = {"type": "object", "properties": {"pattern": {"type": "string"}, "$id": {"type": "string"}}}
    assert compiled(schema, "s")["properties"] == schema["properties"]


def test_what_is_not_a_schema_is_left_alone() -> None:
    assert compiled({"anyOf": 7, "properties": [1], "items": True, "description": 3, "not": {}}, "s") == {
        "anyOf": 7,
        "properties": [1],
        "items": True,
        "description": "(not: {})",
        "additionalProperties": False,
    }


def test_a_bottomless_schema_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(70):
        schema = {"items": schema}
    with pytest.raises(ApiError, match="the schema is nested more than 64 levels deep"):
        compiled(schema, "s")
