from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr.dialects.openai_chat.schema import is_strict, plain_schema, tool_parameters

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "$ref", "allOf", "anyOf", "enum", "items", "const", "$defs", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("schema", [pytest.param({}, id="edge-122"), None, [], "x", {"type": "object"}])
def test_a_schema_without_properties_gets_them(schema: Any) -> None:
    assert tool_parameters(schema, plain=False) == {"type": "object", "properties": {}}


def test_what_names_the_dialect_is_left_out_at_the_top() -> None:
    schema = {"$schema": "s", "$id": "i", "type": "object", "properties": {}, "additionalProperties": False}
    assert tool_parameters(schema, plain=False) == {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }


@pytest.mark.parametrize("plain", [pytest.param(True, id="edge-125"), pytest.param(False, id="edge-125-full")])
def test_a_property_may_have_the_name_of_a_keyword(plain: bool) -> None:
    words = ("const", "$ref", "format", "default", "$schema", "allOf")
    schema = {"type": "object", "properties": {word: {"type": "string"} for word in words}}
    assert tool_parameters(schema, plain=plain) == schema


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ({"type": "object", "properties": {}, "additionalProperties": False}, True),
        (
            {"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False},
            True,
        ),
        pytest.param(
            {"type": "object", "properties": {"a": {}}, "required": [], "additionalProperties": False},
            False,
            id="edge-126",
        ),
        ({"type": "object", "properties": {}}, False),
        ({"type": "object", "additionalProperties": False, "required": "a"}, False),
        ({"type": "array", "items": {"type": "object"}}, False),
        ({"anyOf": [{"type": "string"}, {"type": "object"}]}, False),
        ({"$defs": {"d": {"type": "object"}}}, False),
        ({"type": "string"}, True),
        (None, True),
    ],
)
def test_strict_needs_every_property_required_and_no_others(schema: Any, strict: bool) -> None:
    assert is_strict(schema) is strict


@pytest.mark.parametrize(
    ("schema", "plain"),
    [
        ({"const": "a"}, {"enum": ["a"], "type": "string"}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["null"]}, {"type": "string", "nullable": True}),
        ({"oneOf": [{"type": "string"}]}, {"anyOf": [{"type": "string"}]}),
        pytest.param(
            {"type": "integer", "enum": [1, 2]},
            {"type": "integer", "enum": ["1", "2"], "format": "enum"},
            id="edge-127",
        ),
        pytest.param(
            {"enum": ["a", None]}, {"enum": ["a"], "nullable": True, "type": "string"}, id="edge-127-null"
        ),
        ({"enum": [None]}, {"nullable": True, "type": "string"}),
        ({"enum": [True, "x"]}, {"enum": ["true", "x"], "type": "string"}),
        pytest.param(
            {"$schema": "s", "type": "number", "exclusiveMinimum": 0, "propertyNames": {}, "multipleOf": 2},
            {"type": "number", "minimum": 0},
            id="edge-123",
        ),
        ({"type": "array", "items": [{"type": "string"}, {}]}, {"type": "array", "items": {"type": "string"}}),
        (
            {"allOf": [{"properties": {"a": {}}, "required": ["a"]}, {"properties": {"b": {}}}]},
            {"properties": {"a": {}, "b": {}}, "required": ["a"]},
        ),
        ({"$ref": "#/nowhere"}, {"type": "object"}),
        ({"$ref": "http://elsewhere"}, {"type": "object"}),
    ],
)
def test_the_gemini_subset_says_the_same_in_its_own_words(schema: Any, plain: Any) -> None:
    assert plain_schema(schema) == plain


def test_references_are_written_out() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A", "description": "mine"}},
        "$defs": {"A": {"type": "string", "description": "theirs"}},
    }
    assert plain_schema(schema) == {
        "type": "object",
        "properties": {"a": {"type": "string", "description": "mine"}},
    }


@pytest.mark.parametrize("name", [pytest.param("Node", id="edge-124")])
def test_a_recursive_reference_is_cut(name: str) -> None:
    node = {"type": "object", "properties": {"next": {"$ref": f"#/$defs/{name}"}}}
    plain = plain_schema({"$ref": f"#/$defs/{name}", "$defs": {name: node}})
    assert plain == {"type": "object", "properties": {"next": {"type": "object"}}}


def test_references_that_multiply_are_cut() -> None:
    layers = {f"L{n}": {"properties": {p: {"$ref": f"#/$defs/L{n + 1}"} for p in "abcd"}} for n in range(20)}
    text = str(plain_schema({"$ref": "#/$defs/L0", "$defs": layers}))
    assert len(text) < 500_000


@settings(max_examples=200)
@given(JSON)
def test_no_schema_is_too_odd(schema: Any) -> None:
    assert tool_parameters(schema, plain=True)["type"] == "object"
    assert tool_parameters(schema, plain=False)["type"] == "object"
    assert is_strict(schema) in (True, False)
