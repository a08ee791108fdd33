from typing import Any

import pytest

from tests.world.chat import WEATHER, target, user
from tests.world.responses import built

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def asked(**fields: Any) -> dict[str, Any]:
    return built({"messages": [user("hi")], **fields}, target("openai", "gpt-5.6"))


@pytest.mark.parametrize("number", [pytest.param(126, id="edge-126")])
def test_a_tool_is_flat_and_says_that_it_is_not_strict(number: int) -> None:
    assert asked(tools=[WEATHER])["tools"] == [
        {
            "type": "function",
            "strict": False,
            "name": "get_weather",
            "description": "Look up the weather.",
            "parameters": PARAMETERS,
        }
    ]


def test_a_strict_tool_stays_strict_if_it_can_be() -> None:
    closed = {**PARAMETERS, "additionalProperties": False}
    strict = {**WEATHER, "strict": True, "input_schema": closed}
    assert asked(tools=[strict])["tools"][0]["strict"] is True
    assert asked(tools=[{**WEATHER, "strict": True}])["tools"][0]["strict"] is False


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "get_weather"}, {"type": "function", "name": "get_weather"}),
        ({"type": "tool", "name": "absent"}, "auto"),
    ],
)
def test_the_choice_of_a_tool(choice: Any, expected: Any) -> None:
    assert asked(tools=[WEATHER], tool_choice=choice)["tool_choice"] == expected


def test_one_call_at_a_time() -> None:
    made = asked(tools=[WEATHER], tool_choice={"type": "auto", "disable_parallel_tool_use": True})
    assert made["parallel_tool_calls"] is False


def test_nothing_is_said_of_tools_that_are_not_there() -> None:
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & asked(tool_choice={"type": "auto"}).keys()


@pytest.mark.parametrize("number", [pytest.param(120, id="edge-120")])
def test_a_long_name_is_shortened_wherever_it_stands(number: int) -> None:
    name = "mcp__" + "x" * 80
    tool = {**WEATHER, "name": name}
    made = asked(tools=[tool], tool_choice={"type": "tool", "name": name})
    short = made["tools"][0]["name"]
    assert len(short) == 64
    assert made["tool_choice"]["name"] == short
