"""Schemas of tools in Gemini's subset."""

from typing import Any

import pytest

from tests.world.gemini import validator
from ucr.dialects.gemini.schema import declared


def obj(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


CASES = [
    pytest.param({}, None, (), id="edge-122-empty"),
    pytest.param({"type": "object"}, None, (), id="edge-122-no-properties"),
    pytest.param(None, None, (), id="none"),
    pytest.param(
        {"$schema": "s", **obj(a={"type": "string"}), "required": ["a", "b"], "additionalProperties": False},
        {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": ["a"]},
        (),
        id="edge-123-schema",
    ),
    pytest.param(
        obj(a={"type": "integer", "exclusiveMinimum": 0, "multipleOf": 2}),
        {"type": "OBJECT", "properties": {"a": {"type": "INTEGER", "minimum": 0}}},
        ("multipleOf",),
        id="edge-123-numbers",
    ),
    pytest.param(
        obj(a={"type": ["string", "null"]}, b={"const": "x"}, c={"type": "object", "propertyNames": {}}),
        {
            "type": "OBJECT",
            "properties": {
                "a": {"type": "STRING", "nullable": True},
                "b": {"enum": ["x"], "type": "STRING"},
                "c": {"type": "OBJECT"},
            },
        },
        ("propertyNames",),
        id="edge-123-types",
    ),
    pytest.param(
        obj(a={"enum": [1, 2]}, b={"enum": ["x", None]}),
        {
            "type": "OBJECT",
            "properties": {
                "a": {"enum": ["1", "2"], "type": "INTEGER", "format": "enum"},
                "b": {"enum": ["x"], "nullable": True, "type": "STRING"},
            },
        },
        (),
        id="edge-127",
    ),
    pytest.param(
        obj(
            multipleOf={"type": "string"}, required={"type": "array", "items": {"oneOf": [{"type": "string"}]}}
        ),
        {
            "type": "OBJECT",
            "properties": {
                "multipleOf": {"type": "STRING"},
                "required": {"type": "ARRAY", "items": {"anyOf": [{"type": "STRING"}]}},
            },
        },
        (),
        id="properties-that-are-called-as-keywords",
    ),
]


@pytest.mark.parametrize(("schema", "parameters", "lost"), CASES)
def test_a_schema_is_said_as_gemini_says_it(schema: Any, parameters: Any, lost: tuple[str, ...]) -> None:
    assert declared(schema) == (parameters, lost)
    if parameters is not None:
        assert not list(validator("function-declaration").iter_errors({"name": "f", "parameters": parameters}))


@pytest.mark.parametrize("name", [pytest.param("edge-124", id="edge-124")])
def test_a_schema_that_names_itself_ends(name: str) -> None:
    node = {**obj(children={"type": "array", "items": {"$ref": "#/$defs/Node"}}), "not": {}}
    parameters, lost = declared({**obj(root={"$ref": "#/$defs/Node"}), "$defs": {"Node": node}})
    assert parameters is not None
    assert parameters["properties"]["root"]["properties"]["children"]["items"] == {"type": "OBJECT"}
    assert lost == ("not",)


def test_a_few_of_many_lost_keywords_are_named() -> None:
    _, lost = declared({**obj(a={}), **{f"x-{number}": 1 for number in range(9)}})
    assert lost == ("x-0", "x-1", "x-2", "x-3")


def test_what_is_nested_too_deeply_is_cut() -> None:
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(100):
        deep = {"type": "array", "items": deep}
    parameters, _ = declared(obj(a=deep))
    assert str(parameters).count("items") < 100


def test_odd_values_of_keywords_are_left_out() -> None:
    parameters, _ = declared({"properties": {"a": {"type": 3, "properties": [1], "items": 4, "anyOf": 5}}})
    assert parameters == {"type": "OBJECT", "properties": {"a": {"items": {"type": "OBJECT"}, "anyOf": 5}}}
