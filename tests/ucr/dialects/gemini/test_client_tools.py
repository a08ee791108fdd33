"""Tools and the choice of them, as a client of Gemini's says them."""

from typing import Any

import pytest

from ucr.dialects.gemini.client_tools import choose, tools
from ucr.errors import ApiError

OFFERED = [{"name": name} for name in "abc"]


def config(mode: str | None, *names: str) -> dict[str, Any]:
    return {"toolConfig": {"functionCallingConfig": {"mode": mode, "allowedFunctionNames": [*names]}}}


def test_functions_become_tools() -> None:
    notes: list[str] = []
    schema = {"type": "object", "properties": {"a": {"const": 1}}}
    declared = [
        {"name": "f", "description": "Does it.", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}},
        {"name": "g", "parametersJsonSchema": schema},
        {"name": "h", "parameters_json_schema": schema},
        {"name": "i"},
    ]  # fmt: skip
    body = {
        "tools": [
            {"functionDeclarations": declared},
            {"google_search": {}, "url_context": {}, "codeExecution": None},
        ]
    }
    assert tools(body, notes) == [
        {
            "name": "f",
            "description": "Does it.",
            "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}},
        },
        {"name": "g", "input_schema": schema},
        {"name": "h", "input_schema": schema},
        {"name": "i", "input_schema": {"type": "object", "properties": {}}},
        {"type": "web_search_20250305", "name": "web_search"},
    ]
    assert notes == ["dropped tool url_context"]


@pytest.mark.parametrize(
    ("body", "kept", "choice"),
    [
        ({}, "abc", None),
        (config(None), "abc", {"type": "auto"}),
        (config("AUTO"), "abc", {"type": "auto"}),
        (config("NONE"), "abc", {"type": "none"}),
        (config("ANY"), "abc", {"type": "any"}),
        (config("ANY", "b"), "b", {"type": "tool", "name": "b"}),
        (config("ANY", "a", "c"), "ac", {"type": "any"}),
        (config("VALIDATED", "a"), "a", {"type": "auto"}),
        ({"tool_config": {"function_calling_config": {"mode": "ANY"}}}, "abc", {"type": "any"}),
    ],
)
def test_a_mode_becomes_a_choice(body: dict[str, Any], kept: str, choice: Any) -> None:
    offered, chosen = choose(body, OFFERED)
    assert ("".join(tool["name"] for tool in offered), chosen) == (kept, choice)


def test_without_functions_nothing_is_chosen() -> None:
    assert choose(config("ANY"), []) == ([], None)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (config("MOST"), "mode: expected AUTO, ANY, NONE or VALIDATED"),
        (config("ANY", "z"), "none of the functions declared is allowed"),
        ({"toolConfig": []}, "toolConfig: expected an object"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(body: dict[str, Any], words: str) -> None:
    with pytest.raises(ApiError, match=words):
        choose(body, OFFERED)


@pytest.mark.parametrize(
    "given", [{}, [1], [{"functionDeclarations": [{"name": ""}]}], [{"functionDeclarations": 3}]]
)
def test_malformed_tools_are_refused(given: Any) -> None:
    with pytest.raises(ApiError, match=r"^tools"):
        tools({"tools": given}, [])
