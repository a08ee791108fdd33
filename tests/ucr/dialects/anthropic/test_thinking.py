from typing import Any

import pytest

from ucr.dialects.anthropic import thinking
from ucr.dialects.anthropic.family import family_of


def fitted(model: str, **body: Any) -> dict[str, Any]:
    family = family_of(model)
    assert family is not None
    changed, _ = thinking.fitted({"max_tokens": 32_000, **body}, family)
    return {key: value for key, value in changed.items() if key != "max_tokens"}


def enabled(budget: int, **more: Any) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": budget, **more}


ADAPTIVE = {"type": "adaptive"}
DISABLED = {"type": "disabled"}


@pytest.mark.parametrize(
    ("model", "asked", "expected"),
    [
        pytest.param(
            "claude-opus-4-7",
            {"thinking": enabled(10_000)},
            {"thinking": ADAPTIVE, "output_config": {"effort": "high"}},
            id="edge-139-budget-to-adaptive",
        ),
        pytest.param(
            "claude-opus-5-5",
            {"thinking": enabled(2000, display="omitted"), "output_config": {"effort": "max"}},
            {"thinking": {**ADAPTIVE, "display": "omitted"}, "output_config": {"effort": "max"}},
            id="edge-139-an-effort-that-was-named-stays",
        ),
        pytest.param(
            "claude-sonnet-4-5",
            {"thinking": {**ADAPTIVE, "display": "omitted"}, "output_config": {"effort": "medium"}},
            {"thinking": enabled(9600, display="omitted")},
            id="edge-139-adaptive-to-budget",
        ),
        pytest.param(
            "claude-sonnet-4-5",
            {"thinking": ADAPTIVE, "max_tokens": 2000, "output_config": {"effort": "low"}},
            {"thinking": enabled(1024)},
            id="edge-139-at-least-1024",
        ),
        pytest.param("claude-fable-5", {"thinking": DISABLED}, {}, id="edge-140-fable"),
        pytest.param(
            "claude-opus-5-5",
            {"thinking": DISABLED, "output_config": {"effort": "xhigh", "format": {"type": "json_schema"}}},
            {"thinking": DISABLED, "output_config": {"effort": "high", "format": {"type": "json_schema"}}},
            id="edge-140-effort",
        ),
        pytest.param(
            "claude-sonnet-4-5",
            {"thinking": enabled(8000), "max_tokens": 4000},
            {"thinking": enabled(3999)},
            id="edge-141-budget-reduced",
        ),
        pytest.param(
            "claude-sonnet-4-5", {"thinking": enabled(8000), "max_tokens": 1024}, {}, id="edge-141-no-room"
        ),
        pytest.param("claude-3-5-sonnet", {"thinking": enabled(2000)}, {}, id="a-model-that-does-not-think"),
        pytest.param("claude-haiku-4-5", {"output_config": {"effort": "high"}}, {}, id="no-effort-before-4.6"),
        pytest.param(
            "claude-opus-4-6", {"thinking": {"type": "between_tools"}}, {"thinking": DISABLED}, id="new-kind"
        ),
        pytest.param(
            "claude-opus-4-6",
            {"thinking": ADAPTIVE, "output_config": {"effort": "high"}},
            {"thinking": ADAPTIVE, "output_config": {"effort": "high"}},
            id="4.6-takes-both",
        ),
    ],
)
def test_thinking_is_asked_for_as_the_family_wants_it(
    model: str, asked: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert fitted(model, **asked) == expected


@pytest.mark.parametrize(
    ("budget", "effort"), [(1024, "low"), (2048, "low"), (8192, "medium"), (24_576, "high"), (24_577, "xhigh")]
)
def test_budgets_have_an_effort(budget: int, effort: str) -> None:
    assert thinking.effort_of(budget) == effort


@pytest.mark.parametrize(
    ("effort", "budget"), [("low", 3200), ("medium", 9600), ("high", 19_200), ("max", 28_800), (None, 19_200)]
)
def test_efforts_have_a_budget(effort: str | None, budget: int) -> None:
    assert thinking.budget_of(effort, 32_000) == budget


def test_a_note_says_what_was_adapted_and_nothing_when_nothing_was() -> None:
    family = family_of("claude-opus-4-7")
    assert family is not None
    assert thinking.fitted({"max_tokens": 1, "thinking": enabled(1)}, family)[1] == (
        "thinking adapted to opus 4.7",
    )
    assert thinking.fitted({"max_tokens": 1, "thinking": ADAPTIVE}, family)[1] == ()


@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-3-haiku-20240307", "claude-opus-4-7"])
def test_where_nothing_changes_the_body_is_the_very_same(model: str) -> None:
    family, body = family_of(model), {"max_tokens": 2000, "messages": []}
    assert family is not None
    assert thinking.fitted(body, family) == (body, ())
    assert thinking.fitted(body, family)[0] is body


def test_what_needs_thinking_goes_with_it() -> None:
    clear, other = {"type": "clear_thinking_20251015", "keep": "all"}, {"type": "clear_tool_uses_20250919"}
    alone = {"thinking": ADAPTIVE, "context_management": {"edits": [clear]}}
    assert thinking.without(alone) == {}
    both = {"thinking": ADAPTIVE, "context_management": {"edits": [clear, other]}}
    assert thinking.without(both) == {"context_management": {"edits": [other]}}
    assert thinking.without({"context_management": 1}) == {"context_management": 1}


CALL = {"type": "tool_use", "id": "t", "name": "n", "input": {}}
THOUGHT = {"type": "thinking", "thinking": "x", "signature": "s"}


@pytest.mark.parametrize(
    ("content", "is_kept"),
    [
        pytest.param([CALL], False, id="calls-without-thinking"),
        pytest.param([THOUGHT, CALL], True, id="calls-after-thinking"),
        pytest.param(
            [{"type": "redacted_thinking", "data": "x"}, CALL], True, id="calls-after-hidden-thinking"
        ),
        pytest.param([{"type": "text", "text": "x"}], True, id="no-calls"),
        pytest.param("x", True, id="text"),
    ],
)
def test_a_budget_needs_the_thinking_before_the_calls(content: object, is_kept: bool) -> None:
    turns = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": []},
    ]
    body, notes = thinking.without_interrupted({"thinking": enabled(2000), "messages": turns})
    assert ("thinking" in body, bool(notes)) == (is_kept, not is_kept)


@pytest.mark.parametrize(
    ("value", "is_on"), [(ADAPTIVE, True), (enabled(1), True), (DISABLED, False), (None, False), ("x", False)]
)
def test_thinking_is_on_or_not(value: object, is_on: bool) -> None:
    assert thinking.is_on({"thinking": value}) is is_on
