"""The generation config as canonical fields."""

from typing import Any

import pytest

from ucr.dialects.gemini.client_config import config_of, instruction, options, shows_thoughts
from ucr.errors import ApiError


def read(**config: Any) -> tuple[dict[str, Any], list[str]]:
    notes: list[str] = []
    return options(config, notes), notes


def test_all_that_can_be_said_is_said() -> None:
    made, notes = read(
        maxOutputTokens=9, temperature=1.5, topP=0.5, top_k=40.0, stopSequences=["a", " "], candidateCount=1
    )
    assert made == {"max_tokens": 9, "temperature": 1.5, "top_p": 0.5, "top_k": 40, "stop_sequences": ["a"]}
    assert notes == []
    assert read(seed=1, responseLogprobs=True)[1] == ["dropped responseLogprobs", "dropped seed"]
    assert config_of({}) == {}


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({"thinkingBudget": 0}, {"thinking": {"type": "disabled"}}),
        ({"thinkingBudget": -1}, {"thinking": {"type": "adaptive"}}),
        ({"thinkingBudget": 100}, {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        ({"thinking_budget": 9000}, {"thinking": {"type": "enabled", "budget_tokens": 9000}}),
        ({"includeThoughts": True}, {"thinking": {"type": "adaptive"}}),
        ({"includeThoughts": False}, {}),
        ({"thinkingLevel": "HIGH"}, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        ({"thinkingLevel": "minimal"}, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
        ({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}, {}),
    ],
)
def test_how_much_to_think_is_read(wish: dict[str, Any], expected: dict[str, Any]) -> None:
    assert read(thinkingConfig=wish)[0] == expected


@pytest.mark.parametrize("key", ["responseSchema", "responseJsonSchema"])
def test_a_schema_of_the_answer_is_kept(key: str) -> None:
    schema = {"type": "OBJECT" if key == "responseSchema" else "object", "properties": {"a": {}}}
    made, _ = read(responseMimeType="application/json", **{key: schema})
    assert made["output_config"]["format"] == {
        "type": "json_schema",
        "schema": {"type": "object", "properties": {"a": {}}, "additionalProperties": False},
    }
    assert instruction({"responseMimeType": "application/json", key: schema}, []) == []


def test_json_without_a_schema_is_an_instruction() -> None:
    notes: list[str] = []
    (block,) = instruction({"responseMimeType": "application/json"}, notes)
    assert "JSON" in block["text"]
    assert notes == ["responseMimeType application/json was sent as an instruction"]
    assert instruction({"responseMimeType": "text/plain"}, []) == []


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"maxOutputTokens": 0}, "maxOutputTokens: expected a whole number"),
        ({"temperature": "hot"}, "temperature: expected a number"),
        ({"stopSequences": [3]}, r"stopSequences\[0\]: expected a string"),
        ({"candidateCount": 2}, "gives one answer"),
        ({"responseModalities": ["IMAGE"]}, "answers in text only"),
        ({"thinkingConfig": {"thinkingLevel": "SOME"}}, "expected one of MINIMAL"),
        ({"thinkingConfig": {"thinkingBudget": -2}}, "thinkingBudget: expected a whole number"),
        ({"thinkingConfig": 3}, "thinkingConfig: expected an object"),
    ],
)
def test_what_cannot_be_said_is_refused(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ApiError, match=words):
        read(**config)


@pytest.mark.parametrize(
    ("body", "shows"),
    [
        ({"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}, True),
        ({"generation_config": {"thinking_config": {"include_thoughts": True}}}, True),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 9}}}, False),
        ({"generationConfig": 3}, False),
        ({}, False),
    ],
)
def test_thoughts_are_shown_to_whom_asks(body: dict[str, Any], shows: bool) -> None:
    assert shows_thoughts(body) is shows
