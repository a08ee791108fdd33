from typing import Any

import pytest

from tests.world.chat_client import USER, translate
from ucr.errors import ApiError

PARAMETERS: dict[str, Any] = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}


def function(name: str, **fields: Any) -> Any:
    return {"type": "function", "function": {"name": name, **fields}}


F, G = function("f"), function("g")
EMPTY: dict[str, Any] = {"type": "object", "properties": {}}


def names(body: Any) -> list[str]:
    return [tool["name"] for tool in body["tools"]]


def test_a_function_becomes_a_client_tool() -> None:
    given = function("f", description="d", parameters=PARAMETERS, strict=True)
    body = translate(USER, tools=[given]).body
    assert body["tools"] == [{"name": "f", "description": "d", "input_schema": PARAMETERS, "strict": True}]
    assert "tool_choice" not in body


@pytest.mark.parametrize(
    ("fields", "schema"),
    [
        ({}, EMPTY),
        ({"parameters": None}, EMPTY),
        ({"parameters": {}}, EMPTY),
        ({"parameters": {"properties": {}}, "strict": False}, EMPTY),
        ({"parameters": {"type": "object"}, "strict": None}, {"type": "object"}),
    ],
)
def test_parameters_are_always_the_schema_of_an_object(fields: Any, schema: Any) -> None:
    assert translate(USER, tools=[function("f", **fields)]).body["tools"] == [
        {"name": "f", "input_schema": schema}
    ]


def test_a_cache_breakpoint_on_a_tool_stays() -> None:
    given = {**F, "cache_control": {"type": "ephemeral"}}
    assert translate(USER, tools=[given]).body["tools"][0]["cache_control"] == {"type": "ephemeral"}


def test_older_functions_are_tools_and_a_note_says_how_they_are_answered() -> None:
    canonical = translate(USER, functions=[{"name": "f"}], function_call={"name": "f"})
    assert canonical.body["tools"] == [{"name": "f", "input_schema": EMPTY}]
    assert canonical.body["tool_choice"] == {"type": "tool", "name": "f"}
    assert canonical.notes == ("functions are answered as tool_calls",)


def test_a_custom_tool_becomes_a_function_of_its_text() -> None:
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /a/"}}
    custom = {"type": "custom", "custom": {"name": "q", "description": "Asks.", "format": grammar}}
    canonical = translate(USER, tools=[custom])
    assert canonical.body["tools"] == [
        {
            "name": "q",
            "description": "Asks.\n\nThe input must follow this lark grammar:\nstart: /a/",
            "input_schema": {
                "type": "object",
                "properties": {"input": {"type": "string"}},
                "required": ["input"],
            },
        }
    ]
    assert canonical.notes == ("custom tools were sent as functions whose only argument is input",)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ({"type": "function", "function": {"name": "g"}}, {"type": "tool", "name": "g"}),
        ({"type": "custom", "custom": {"name": "g"}}, {"type": "tool", "name": "g"}),
    ],
)
def test_every_form_of_choice_has_a_canonical_one(choice: Any, expected: Any) -> None:
    body = translate(USER, tools=[F, G], tool_choice=choice).body
    assert body.get("tool_choice") == expected
    assert names(body) == ["f", "g"]


@pytest.mark.parametrize(("mode", "expected"), [("auto", "auto"), ("required", "any")])
def test_only_allowed_tools_are_offered(mode: str, expected: str) -> None:
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [G, {"name": "h"}]}}
    body = translate(USER, tools=[F, G], tool_choice=choice).body
    assert body["tool_choice"] == {"type": expected}
    assert names(body) == ["g"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", {"type": "any", "disable_parallel_tool_use": True}),
        (F, {"type": "tool", "name": "f", "disable_parallel_tool_use": True}),
        ("none", {"type": "none"}),
    ],
)
def test_one_call_at_a_time_is_part_of_the_choice(choice: Any, expected: Any) -> None:
    body = translate(USER, tools=[F], tool_choice=choice, parallel_tool_calls=False).body
    assert body["tool_choice"] == expected


def test_parallel_calls_are_the_default() -> None:
    assert "tool_choice" not in translate(USER, tools=[F], parallel_tool_calls=True).body


@pytest.mark.parametrize("fields", [{"tools": []}, {"tools": None}, {"tools": [], "functions": []}, {}])
@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_without_tools_there_is_no_choice(fields: Any, choice: Any) -> None:
    body = translate(USER, tool_choice=choice, parallel_tool_calls=False, **fields).body
    assert body.keys() == {"model", "messages"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tools": {}}, "tools: expected an array, not an object"),
        ({"tools": ["f"]}, "tools[0]: expected an object, not 'f'"),
        (
            {"tools": [{"type": "web_search"}]},
            "tools[0].type: expected 'function' or 'custom', not 'web_search'",
        ),
        ({"tools": [{"type": "function"}]}, "tools[0].function: expected an object, not None"),
        ({"tools": [function("")]}, "tools[0].function.name: expected a string that is not empty, not ''"),
        (
            {"tools": [function("f", parameters=[])]},
            "tools[0].function.parameters: expected an object, not an array",
        ),
        ({"tools": [function("f", strict="x")]}, "tools[0].function.strict: expected true or false, not 'x'"),
        ({"tools": [function("f", description=1)]}, "tools[0].function.description: expected a string, not 1"),
        ({"functions": [1]}, "functions[0]: expected an object, not 1"),
        ({"tool_choice": "required"}, "tool_choice: a call is asked for, but there are no tools"),
        ({"function_call": {"name": "f"}}, "function_call: a call is asked for, but there are no tools"),
        (
            {"tools": [F], "tool_choice": "any"},
            "tool_choice: expected none, auto, required or the choice of a tool, not 'any'",
        ),
        (
            {"tools": [F], "tool_choice": []},
            "tool_choice: expected none, auto, required or the choice of a tool, not an array",
        ),
        ({"tools": [F], "tool_choice": G}, "tool_choice.function.name: there is no tool 'g'"),
        (
            {"tools": [F], "tool_choice": {"type": "function"}},
            "tool_choice.function: expected an object, not None",
        ),
        (
            {"functions": [{"name": "f"}], "function_call": {"name": 1}},
            "function_call.name: expected a string that is not empty, not 1",
        ),
        (
            {
                "tools": [F],
                "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "x", "tools": []}},
            },
            "tool_choice.allowed_tools.mode: expected auto or required, not 'x'",
        ),
        (
            {
                "tools": [F],
                "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [G]}},
            },
            "tool_choice.allowed_tools.tools: none of the tools offered is allowed",
        ),
        ({"tools": [F], "parallel_tool_calls": 1}, "parallel_tool_calls: expected true or false, not 1"),
    ],
)
def test_what_is_malformed_is_refused_at_its_path(fields: Any, words: str) -> None:
    with pytest.raises(ApiError) as caught:
        translate(USER, **fields)
    assert caught.value.message == words
