from typing import Any

import pytest

from tests.world.chat import WEATHER, built, outgoing, target, user
from ucr.dialects.openai_chat.reasoning import Wish, nearest_effort, thinking_is_wanted, wish_of

ON = {"type": "adaptive"}
OFF = {"type": "disabled"}
FIELDS = ("reasoning_effort", "reasoning", "thinking", "reasoning_format", "prompt_mode")


def budget(tokens: int) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": tokens}


def asked(provider: str, model: str, thinking: Any, effort: Any = None, **more: Any) -> dict[str, Any]:
    """The fields about reasoning that a provider gets."""
    body = {"messages": [user("hi")], "thinking": thinking, "output_config": {"effort": effort}, **more}
    return {key: value for key, value in built(body, target(provider, model)).items() if key in FIELDS}


@pytest.mark.parametrize(
    ("thinking", "effort", "written"),
    [
        (None, None, None),
        (None, "low", "low"),
        (OFF, None, "none"),
        (OFF, "high", "none"),
        ({"type": "between_tools"}, None, "none"),
        (budget(1024), None, "low"),
        (budget(2048), None, "low"),
        (budget(2049), None, "medium"),
        (budget(8192), None, "medium"),
        (budget(24576), None, "high"),
        (budget(24577), None, "xhigh"),
        (budget(1024), "high", "high"),
        (ON, None, None),
        *((ON, effort, effort) for effort in ("low", "medium", "high", "xhigh", "max")),
        pytest.param(ON, "minimal", "low", id="edge-112"),
        (ON, "enormous", None),
    ],
)
def test_an_openai_effort_follows_thinking_and_effort(thinking: Any, effort: Any, written: Any) -> None:
    expected = {"reasoning_effort": written} if written else {}
    assert asked("openai", "gpt-5.6", thinking, effort) == expected


@pytest.mark.parametrize(
    ("model", "thinking", "effort", "written"),
    [
        ("gpt-5.4", ON, "max", "xhigh"),
        ("gpt-5.1", ON, "max", "high"),
        ("gpt-5-mini", OFF, None, "minimal"),
        ("o3", OFF, None, "low"),
        ("gpt-4o", ON, "high", None),
        ("gpt-4o", OFF, None, None),
    ],
)
def test_an_effort_that_a_model_lacks_goes_down(model: str, thinking: Any, effort: Any, written: Any) -> None:
    assert asked("openai", model, thinking, effort).get("reasoning_effort") == written


@pytest.mark.parametrize(
    ("wanted", "allowed", "found"),
    [
        ("high", "low medium", "medium"),
        ("low", "high max", "high"),
        ("low", "none default", "default"),
        ("none", "none low", "none"),
        ("none", "low", "low"),
        ("max", "none", None),
        ("max", "", None),
        ("max", "odd low", "low"),
    ],
)
def test_the_nearest_effort_still_thinks(wanted: str, allowed: str, found: str | None) -> None:
    assert nearest_effort(wanted, tuple(allowed.split())) == found


@pytest.mark.parametrize("model", [pytest.param("gpt-5.6", id="edge-111"), "gpt-5.4", "openai/gpt-5.5-mini"])
def test_models_that_take_no_tools_beside_reasoning_are_asked_not_to_reason(model: str) -> None:
    body = {"messages": [user("hi")], "thinking": ON, "output_config": {"effort": "high"}, "tools": [WEATHER]}
    out = outgoing(body, target("openai", model))
    assert b'"reasoning_effort":"none"' in out.body
    assert out.notes == (f"reasoning off: {model} takes no tools beside reasoning on chat completions",)
    assert outgoing({**body, "thinking": OFF}, target("openai", model)).notes == ()


def test_older_models_reason_beside_tools() -> None:
    assert asked("openai", "gpt-5.1", ON, "high", tools=[WEATHER]) == {"reasoning_effort": "high"}


@pytest.mark.parametrize(
    ("thinking", "effort", "written"),
    [
        pytest.param(OFF, "high", {"thinking": {"type": "disabled"}}, id="edge-106"),
        (ON, "max", {"thinking": {"type": "enabled"}, "reasoning_effort": "max"}),
        (ON, "low", {"thinking": {"type": "enabled"}, "reasoning_effort": "high"}),
        (ON, None, {"thinking": {"type": "enabled"}}),
        (None, None, {}),
    ],
)
def test_deepseek_gets_a_switch_and_an_effort(thinking: Any, effort: Any, written: Any) -> None:
    assert asked("deepseek", "deepseek-v4-pro", thinking, effort) == written


@pytest.mark.parametrize(
    ("thinking", "effort", "written"),
    [
        (OFF, None, {"enabled": False}),
        (ON, None, {"enabled": True}),
        (ON, "max", {"effort": "xhigh"}),
        (None, "low", {"effort": "low"}),
        (budget(5000), None, {"max_tokens": 5000}),
        (budget(5000), "low", {"effort": "low"}),
        pytest.param(budget(50_000), None, {"max_tokens": 9999}, id="edge-141"),
    ],
)
def test_openrouter_gets_its_reasoning_object(thinking: Any, effort: Any, written: Any) -> None:
    assert asked("openrouter", "m", thinking, effort, max_tokens=10_000) == {"reasoning": written}


@pytest.mark.parametrize("limit", [pytest.param(1000, id="edge-141")])
def test_a_budget_that_leaves_no_room_becomes_an_effort(limit: int) -> None:
    assert asked("openrouter", "m", budget(5000), None, max_tokens=limit) == {"reasoning": {"effort": "medium"}}
    assert asked("openrouter", "m", None) == {}


@pytest.mark.parametrize(
    ("provider", "model", "thinking", "written"),
    [
        ("groq", "openai/gpt-oss-120b", budget(5000), {"reasoning_effort": "medium"}),
        ("groq", "qwen/qwen3-32b", ON, {"reasoning_format": "parsed"}),
        (
            "groq",
            "qwen/qwen3-32b",
            budget(5000),
            {"reasoning_effort": "default", "reasoning_format": "parsed"},
        ),
        ("groq", "qwen/qwen3-32b", OFF, {"reasoning_effort": "none"}),
        ("groq", "llama-3.3-70b-versatile", ON, {}),
        ("together", "deepseek-ai/DeepSeek-V3.1", ON, {"reasoning": {"enabled": True}}),
        ("together", "deepseek-ai/DeepSeek-V3.1", OFF, {"reasoning": {"enabled": False}}),
        ("together", "deepseek-ai/DeepSeek-V3.1", None, {}),
        ("together", "meta-llama/Llama-3.3-70B", ON, {}),
        ("mistral", "magistral-medium-latest", ON, {"prompt_mode": "reasoning"}),
        ("mistral", "magistral-medium-latest", OFF, {}),
        ("mistral", "mistral-large-latest", ON, {}),
        ("zai", "glm", ON, {"thinking": {"type": "enabled"}}),
        ("zai", "glm", OFF, {"thinking": {"type": "disabled"}}),
        ("moonshot", "kimi", ON, {}),
        ("local", "some-model", budget(5000), {"reasoning_effort": "medium"}),
        ("local", "some-model", OFF, {"reasoning_effort": "low"}),
        ("ollama", "llama3.2", ON, {}),
    ],
)
def test_every_provider_is_asked_in_its_own_words(
    provider: str, model: str, thinking: Any, written: Any
) -> None:
    assert asked(provider, model, thinking) == written


def test_a_mistral_model_that_can_be_told_not_to_think_gets_an_effort() -> None:
    to = target("mistral", "m", model_efforts=("*=none high",))
    body = built({"messages": [user("hi")], "thinking": ON, "output_config": {"effort": "low"}}, to)
    assert body["reasoning_effort"] == "high"


@pytest.mark.parametrize(
    ("thinking", "wanted"),
    [
        (ON, True),
        (budget(1024), True),
        ({"type": "adaptive", "display": "summarized"}, True),
        ({"type": "adaptive", "display": "omitted"}, False),
        (OFF, False),
        ({"type": "between_tools"}, False),
        (None, False),
        ("yes", False),
    ],
)
def test_thinking_is_shown_only_to_a_client_that_asked_to_see_it(thinking: Any, wanted: bool) -> None:
    assert thinking_is_wanted({"thinking": thinking}) is wanted
    assert outgoing({"messages": [user("hi")], "thinking": thinking}).context.thinking_wanted is wanted


@pytest.mark.parametrize(
    "body",
    [
        {"thinking": 1, "output_config": "x"},
        {"thinking": {"type": ["enabled"]}, "output_config": {"effort": {}}},
        {},
    ],
)
def test_a_wish_of_the_wrong_type_is_none(body: Any) -> None:
    assert wish_of(body) == Wish()


@pytest.mark.parametrize("tokens", [True, "9", 0, -1, None])
def test_a_budget_that_is_no_number_is_none(tokens: Any) -> None:
    assert wish_of({"thinking": {"type": "enabled", "budget_tokens": tokens}}) == Wish(is_on=True)
