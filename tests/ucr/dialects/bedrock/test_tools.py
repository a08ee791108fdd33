from typing import Any

import pytest

from tests.world.bedrock import CLAUDE, built, outgoing, target
from tests.world.chat import WEATHER, assistant, call, result, user

HISTORY = [user("a"), assistant(call("t1")), user(result("t1", "x"))]


def config(model: str = CLAUDE, **fields: Any) -> Any:
    return built({"messages": [user("a")], **fields}, target(model)).get("toolConfig")


def test_a_tool_is_its_name_its_words_and_its_schema() -> None:
    bare = {"name": "f", "description": "", "input_schema": {"type": "object"}}
    found = config(tools=[WEATHER, bare])["tools"]
    assert found[0]["toolSpec"]["description"] == WEATHER["description"]
    assert found[1] == {
        "toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object", "properties": {}}}}
    }


def test_a_mark_on_a_tool_is_a_point_behind_it_where_the_model_caches() -> None:
    marked = {**WEATHER, "cache_control": {"type": "ephemeral"}}
    assert list(config(tools=[marked])["tools"][1]) == ["cachePoint"]
    assert len(config("mistral.x", tools=[marked])["tools"]) == 1


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        ({"type": "auto"}, {"auto": {}}),
        pytest.param({"type": "any"}, {"any": {}}, id="edge-114"),
        pytest.param({"type": "tool", "name": "get_weather"}, {"tool": {"name": "get_weather"}}, id="edge-115"),
        (None, None),
    ],
)
def test_a_choice_in_converses_words(choice: Any, written: Any) -> None:
    fields = {} if choice is None else {"tool_choice": choice}
    assert config(tools=[WEATHER], **fields).get("toolChoice") == written


@pytest.mark.parametrize("edge", [pytest.param(116, id="edge-116")])
def test_that_no_tool_may_be_called_is_offering_none_unless_some_were_called(edge: int) -> None:
    none = {"tools": [WEATHER], "tool_choice": {"type": "none"}}
    assert config(**none) is None
    kept = config(**none, messages=HISTORY)
    assert [tool["toolSpec"]["name"] for tool in kept["tools"]] == ["get_weather"]
    assert "toolChoice" not in kept


@pytest.mark.parametrize("edge", [pytest.param(117, id="edge-117")])
def test_tools_that_were_called_are_offered_when_none_are(edge: int) -> None:
    made = outgoing({"messages": HISTORY}, target(CLAUDE))
    assert "offered the tools that were called" in made.notes
    (tool,) = config(messages=HISTORY)["tools"]
    assert tool["toolSpec"] == {
        "name": "get_weather",
        "inputSchema": {"json": {"type": "object", "properties": {}}},
    }


@pytest.mark.parametrize("edge", [pytest.param(120, id="edge-120")])
def test_a_name_that_is_too_long_is_shortened_everywhere(edge: int) -> None:
    name = "mcp__server__" + "x" * 80
    body = {
        "messages": [user("a"), assistant(call("t", name)), user(result("t", "x"))],
        "tools": [WEATHER | {"name": name}],
    }
    made = outgoing(body, target(CLAUDE))
    short = built(body, target(CLAUDE))["toolConfig"]["tools"][0]["toolSpec"]["name"]
    assert len(short) <= 64
    assert made.context.names == {short: name}
    assert built(body, target(CLAUDE))["messages"][1]["content"][0]["toolUse"]["name"] == short
