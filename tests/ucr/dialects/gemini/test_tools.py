"""Tools and the choice of them."""

from typing import Any

import pytest

from tests.world.chat import WEATHER, assistant, call, result, user
from tests.world.gemini import built, check_declarations, outgoing, target

NAMELESS: dict[str, Any] = {"name": "now", "input_schema": {"type": "object", "properties": {}}}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
TURNS = [user("hi")]


def test_tools_become_function_declarations() -> None:
    body = built({"messages": TURNS, "tools": [WEATHER, NAMELESS]})
    parameters = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}
    described = {"name": "get_weather", "description": "Look up the weather.", "parameters": parameters}
    assert body["tools"] == [{"functionDeclarations": [described, {"name": "now"}]}]
    assert "toolConfig" not in body
    check_declarations(body)


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        pytest.param({"type": "auto"}, {"mode": "AUTO"}, id="auto"),
        pytest.param({"type": "any"}, {"mode": "ANY"}, id="edge-114"),
        pytest.param({"type": "none"}, {"mode": "NONE"}, id="none"),
        pytest.param(
            {"type": "tool", "name": "get_weather"},
            {"mode": "ANY", "allowedFunctionNames": ["get_weather"]},
            id="one-tool",
        ),
        pytest.param({"type": "tool", "name": "lost"}, {"mode": "AUTO"}, id="a-tool-that-is-not-offered"),
        pytest.param({"type": "strange"}, {"mode": "AUTO"}, id="strange"),
        pytest.param({}, {"mode": "AUTO"}, id="empty"),
    ],
)
def test_the_choice_becomes_a_mode(choice: dict[str, Any], config: dict[str, Any]) -> None:
    body = built({"messages": TURNS, "tools": [WEATHER], "tool_choice": choice})
    assert body["toolConfig"] == {"functionCallingConfig": config}


@pytest.mark.parametrize("name", [pytest.param("edge-119", id="edge-119")])
def test_one_call_at_a_time_cannot_be_asked_for(name: str) -> None:
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    sent = outgoing({"messages": TURNS, "tools": [WEATHER], "tool_choice": choice})
    assert sent.notes == ("dropped disable_parallel_tool_use",)


@pytest.mark.parametrize("name", [pytest.param("edge-128", id="edge-128")])
def test_a_search_tool_alone_leaves_no_tools_and_no_choice(name: str) -> None:
    sent = outgoing({"messages": TURNS, "tools": [SEARCH], "tool_choice": {"type": "any"}})
    assert b"tool" not in sent.body
    assert sent.notes == ("dropped tool_web_search",)


@pytest.mark.parametrize("name", [pytest.param("edge-120", id="edge-120")])
def test_a_long_name_is_shortened_and_comes_back(name: str) -> None:
    long = "mcp__server__" + "x" * 80
    turns = [user("a"), assistant(call("t1", long)), user(result("t1", "x"))]
    sent = outgoing({"messages": turns, "tools": [{**NAMELESS, "name": long}]}, target())
    (short,) = sent.context.names
    assert len(short) == 64
    assert sent.context.names[short] == long
    assert sent.body.count(short.encode()) == 3
    assert long.encode() not in sent.body


def test_a_tool_of_anthropics_that_clients_run_gets_its_arguments() -> None:
    body = built({"messages": TURNS, "tools": [{"type": "bash_20250124", "name": "bash"}]})
    (declaration,) = body["tools"][0]["functionDeclarations"]
    assert sorted(declaration["parameters"]["properties"]) == ["command", "restart"]
    check_declarations(body)


def test_a_lost_keyword_is_noted() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "contentEncoding": "base64"}}}
    sent = outgoing({"messages": TURNS, "tools": [{"name": "f", "input_schema": schema}]})
    assert sent.notes == ("schema of f without contentEncoding",)
