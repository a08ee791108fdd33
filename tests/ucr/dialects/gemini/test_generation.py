"""Limits, sampling and the shape of the answer."""

from typing import Any

import pytest

from tests.world.chat import user
from tests.world.gemini import built, outgoing, target

TURNS = [user("hi")]


def config(**fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = built({"messages": TURNS, **fields}).get("generationConfig", {})
    return found


def test_all_that_can_be_said_is_said() -> None:
    assert config(max_tokens=100, temperature=0.5, top_p=1, top_k=3, stop_sequences=["a", " "]) == {
        "maxOutputTokens": 100,
        "temperature": 0.5,
        "topP": 1,
        "topK": 3,
        "stopSequences": ["a"],
    }


@pytest.mark.parametrize(
    "fields", [{}, {"temperature": True, "top_p": "x", "stop_sequences": 3, "max_tokens": "9"}]
)
def test_what_says_nothing_is_left_out(fields: dict[str, Any]) -> None:
    assert "generationConfig" not in built({"messages": TURNS, **fields})


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        pytest.param({"max_tokens": 99_999}, "max_tokens lowered to 65536", id="edge-143"),
        pytest.param({"stop_sequences": list("abcdefg")}, "dropped 2 of 7 stop sequences", id="stops"),
        pytest.param({"service_tier": "standard_only"}, "dropped service_tier", id="tier"),
        pytest.param({"zzz": 1}, "dropped zzz", id="unknown"),
    ],
)
def test_what_is_lost_is_noted(fields: dict[str, Any], note: str) -> None:
    assert outgoing({"messages": TURNS, **fields}).notes == (note,)


def test_a_schema_of_the_answer_stays_a_json_schema() -> None:
    schema = {"$schema": "s", "type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {}}}
    made = config(output_config={"format": {"type": "json_schema", "schema": schema}})
    assert made["responseMimeType"] == "application/json"
    assert made["responseJsonSchema"] == {key: schema[key] for key in ("type", "properties", "$defs")}


def test_thinking_stands_in_the_config() -> None:
    sent = built({"messages": TURNS, "thinking": {"type": "disabled"}}, target("gemini-2.5-flash"))
    assert sent["generationConfig"] == {"thinkingConfig": {"thinkingBudget": 0}}
