from typing import Any

import pytest

from tests.world.responses_client import translate
from ucr.dialects.openai_responses.client_tools import Origin, full_name, origins
from ucr.errors import ApiError

LOOK = {"type": "function", "name": "look", "description": "It looks.", "parameters": {"type": "object"}}
PATCH = {
    "type": "custom",
    "name": "patch",
    "description": "It patches.",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"},
}
AGENTS = {"type": "namespace", "name": "agents", "tools": [{**LOOK, "name": "spawn"}, {**PATCH, "name": "say"}]}
SEARCH = {"type": "web_search"}


def tools(*given: Any, **fields: Any) -> Any:
    return translate(tools=list(given), **fields).body.get("tools")


def test_a_function_is_a_tool() -> None:
    schema = {"type": "object"}
    assert tools(LOOK) == [{"name": "look", "description": "It looks.", "input_schema": schema}]
    assert tools({**LOOK, "strict": True})[0]["strict"] is True


def test_a_custom_tool_has_one_argument_and_is_told_its_grammar() -> None:
    (tool,) = tools(PATCH)
    assert tool["input_schema"]["required"] == ["input"]
    assert tool["description"] == "It patches.\n\nThe input must follow this lark grammar:\nstart: x"


def test_a_namespace_is_in_the_names_of_its_tools() -> None:
    assert [tool["name"] for tool in tools(AGENTS, LOOK)] == ["agents__spawn", "agents__say", "look"]
    assert full_name("look", None) == full_name("look", "") == "look"


def test_what_runs_elsewhere_is_dropped_with_a_note() -> None:
    asked = translate(tools=[SEARCH, LOOK, {"type": "tool_search", "execution": "client"}])
    assert [tool["name"] for tool in asked.body["tools"]] == ["look"]
    assert "tools that run at the provider or are none were dropped" in asked.notes
    assert tools(SEARCH, tool_choice="required") is None


def test_calls_come_back_as_the_client_knows_them() -> None:
    assert origins({"tools": [LOOK, PATCH, AGENTS, SEARCH, 3]}) == {
        "patch": Origin("patch", is_custom=True),
        "agents__spawn": Origin("spawn", "agents"),
        "agents__say": Origin("say", "agents", is_custom=True),
    }
    assert origins({}) == origins({"tools": None}) == {}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ({"type": "function", "name": "look"}, {"type": "tool", "name": "look"}),
        ({"type": "custom", "name": "patch"}, {"type": "tool", "name": "patch"}),
        (
            {"type": "function", "name": "spawn", "namespace": "agents"},
            {"type": "tool", "name": "agents__spawn"},
        ),
        ({"type": "web_search"}, {"type": "auto"}),
    ],
)
def test_the_choice_of_a_tool(choice: Any, expected: Any) -> None:
    assert translate(tools=[LOOK, PATCH, AGENTS], tool_choice=choice).body.get("tool_choice") == expected


def test_tools_that_are_not_allowed_are_left_out() -> None:
    allowed = {
        "type": "allowed_tools",
        "mode": "required",
        "tools": [{"type": "custom", "name": "patch"}, SEARCH],
    }
    body = translate(tools=[LOOK, PATCH], tool_choice=allowed).body
    assert ([tool["name"] for tool in body["tools"]], body["tool_choice"]) == (["patch"], {"type": "any"})


def test_one_call_at_a_time() -> None:
    body = translate(tools=[LOOK], parallel_tool_calls=False).body
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": 3},
        {"tools": [3]},
        {"tools": [{"type": 3}]},
        {"tools": [{"type": "function"}]},
        {"tools": [{"type": "namespace", "name": "a", "tools": 3}]},
        {"tools": [LOOK], "tool_choice": {"type": "function", "name": "absent"}},
        {"tools": [LOOK], "tool_choice": 3},
        {"tools": [LOOK], "tool_choice": {"type": "allowed_tools", "mode": "x", "tools": []}},
        {"tool_choice": "required"},
    ],
)
def test_a_malformed_tool_is_refused(fields: Any) -> None:
    with pytest.raises(ApiError) as caught:
        translate(**fields)
    assert caught.value.status == 400
    assert caught.value.param
