from typing import Any

import pytest

from tests.world.chat import WEATHER, user
from tests.world.cohere import built, outgoing

CLOCK: dict[str, Any] = {"name": "clock", "input_schema": {"type": "object", "properties": {}}}


def tools(choice: dict[str, Any] | None) -> dict[str, Any]:
    fields = {} if choice is None else {"tool_choice": choice}
    sent = built({"messages": [user("hi")], "tools": [WEATHER, CLOCK], **fields})
    names = [tool["function"]["name"] for tool in sent["tools"]]
    return {"names": names, "choice": sent.get("tool_choice")}


BOTH = ["get_weather", "clock"]


@pytest.mark.parametrize(
    ("choice", "names", "word"),
    [
        (None, BOTH, None),
        ({"type": "auto"}, BOTH, None),
        pytest.param({"type": "any"}, BOTH, "REQUIRED", id="edge-114-cohere"),
        pytest.param({"type": "tool", "name": "clock"}, ["clock"], "REQUIRED", id="edge-115-cohere"),
        ({"type": "tool", "name": "nobody"}, BOTH, None),
        pytest.param({"type": "none"}, BOTH, "NONE", id="edge-116-cohere"),
    ],
)
def test_a_choice_is_said_in_two_words(
    choice: dict[str, Any] | None, names: list[str], word: str | None
) -> None:
    assert tools(choice) == {"names": names, "choice": word}


def test_a_tool_is_a_function_whose_parameters_are_never_missing() -> None:
    bash = {"type": "custom", "name": "bare", "description": "d", "strict": True}
    sent = built({"messages": [user("hi")], "tools": [WEATHER, bash]})
    assert sent["tools"][0]["function"]["parameters"]["required"] == ["city"]
    assert sent["tools"][1]["function"]["parameters"]["type"] == "object"
    assert "strict" not in sent["tools"][1]["function"]


def test_one_call_at_a_time_cannot_be_asked_for() -> None:
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    sent = outgoing({"messages": [user("hi")], "tools": [WEATHER], "tool_choice": choice})
    assert b"parallel" not in sent.body
    assert sent.notes == ("dropped disable_parallel_tool_use",)
