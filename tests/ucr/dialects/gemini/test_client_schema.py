"""Google's schemas as JSON Schema."""

from typing import Any

import pytest

from ucr.dialects.gemini.client_schema import json_schema
from ucr.dialects.gemini.schema import declared
from ucr.errors import ApiError


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "STRING", "format": "enum", "enum": ["a"]}, {"type": "string", "enum": ["a"]}),
        ({"type": "INTEGER", "enum": ["1", "2"]}, {"type": "integer", "enum": [1, 2]}),
        ({"type": "STRING", "nullable": True, "enum": ["a"]}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"type": "STRING", "format": "date-time", "max_length": "9"}, {"type": "string", "format": "date-time", "maxLength": 9}),
        ({"type": "TYPE_UNSPECIFIED", "anyOf": [{"type": "NUMBER"}, 3]}, {"anyOf": [{"type": "number"}, {}]}),
        (
            {"type": "OBJECT", "properties": {"a": {"type": "ARRAY", "items": {"type": "STRING"}}}, "required": ["a"]},
            {
                "type": "object",
                "properties": {"a": {"type": "array", "items": {"type": "string"}}},
                "required": ["a"],
            },
        ),
        ({"propertyOrdering": ["a"], "minItems": 2}, {"minItems": 2}),
    ],
)  # fmt: skip
def test_a_schema_is_said_in_the_words_of_json_schema(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    assert json_schema(schema, "s") == expected


def test_there_and_back_is_the_same() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"], "maxLength": 3},
            "b": {"type": "integer", "enum": [1]},
        },
        "required": ["a"],
    }
    parameters, _ = declared(schema)
    assert parameters is not None
    assert json_schema(parameters, "s") == schema


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100):
        deep = {"items": deep}
    with pytest.raises(ApiError, match="nested more than 64 levels"):
        json_schema(deep, "s")
