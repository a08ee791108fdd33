"""How much to think, as a level or a budget."""

from typing import Any

import pytest

from tests.world.gemini import target
from ucr.dialects.gemini.thinking import write_thinking

OFF = {"thinking": {"type": "disabled"}}
ADAPTIVE = {"thinking": {"type": "adaptive"}}


def enabled(budget: int, **more: Any) -> dict[str, Any]:
    return {"thinking": {"type": "enabled", "budget_tokens": budget, **more}}


def effort(name: str) -> dict[str, Any]:
    return {**ADAPTIVE, "output_config": {"effort": name}}


SHOWN = {"includeThoughts": True}


@pytest.mark.parametrize(
    ("model", "body", "expected"),
    [
        ("gemini-3-flash", {}, {}),
        ("gemini-3-flash", OFF, {"thinkingLevel": "LOW"}),
        ("gemini-3-flash", ADAPTIVE, SHOWN),
        ("gemini-3-flash", effort("medium"), {"thinkingLevel": "MEDIUM", **SHOWN}),
        ("gemini-3-flash", effort("max"), {"thinkingLevel": "HIGH", **SHOWN}),
        ("gemini-3-pro-preview", effort("medium"), {"thinkingLevel": "LOW", **SHOWN}),
        ("gemini-3-flash", enabled(2_000), {"thinkingLevel": "LOW", **SHOWN}),
        ("gemini-3-flash", enabled(30_000, display="omitted"), {"thinkingLevel": "HIGH"}),
        ("gemini-3-flash", {"output_config": {"effort": "low"}}, {"thinkingLevel": "LOW"}),
        ("gemini-2.5-flash", {}, {}),
        ("gemini-2.5-flash", OFF, {"thinkingBudget": 0}),
        ("gemini-2.5-pro", OFF, {"thinkingBudget": 128}),
        ("gemini-2.5-flash", ADAPTIVE, {"thinkingBudget": -1, **SHOWN}),
        ("gemini-2.5-flash", enabled(2_000), {"thinkingBudget": 2_000, **SHOWN}),
        ("gemini-2.5-flash", enabled(99_999), {"thinkingBudget": 24_576, **SHOWN}),
        ("gemini-2.5-pro", enabled(99_999), {"thinkingBudget": 32_768, **SHOWN}),
        ("gemini-2.5-flash", effort("low"), {"thinkingBudget": 2_457, **SHOWN}),
        ("gemini-2.0-flash", enabled(2_000), {}),
        ("gemma-3-27b-it", OFF, {}),
    ],
)
def test_a_wish_is_said_in_the_models_words(model: str, body: dict[str, Any], expected: dict[str, Any]) -> None:
    assert write_thinking(body, target(model), None) == expected


def test_a_budget_leaves_room_for_the_answer() -> None:
    assert write_thinking(enabled(9_000), target("gemini-2.5-flash"), 4_000)["thinkingBudget"] == 3_999
    assert write_thinking(enabled(9_000), target("gemini-2.5-flash"), 1)["thinkingBudget"] == 0
    assert write_thinking(enabled(9_000), target("gemini-2.5-pro"), 1)["thinkingBudget"] == 128
