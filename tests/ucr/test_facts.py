import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.roles import Request
from ucr.estimate import estimate
from ucr.facts import Facts

CAPTURES = Path(__file__).parents[1] / "fixtures" / "captures" / "claude_code"
IMAGE = {"type": "image", "source": {"type": "base64", "data": "aGk="}}


def facts(client: str | None = None, **body: Any) -> Facts:
    return Facts(Request("anthropic", b"{}", body, "m", stream=False, headers={"user-agent": "x"}), client)


def captured(name: str) -> Facts:
    seen = json.loads((CAPTURES / f"{name}.json").read_bytes())
    return Facts(AnthropicClient().parse(json.dumps(seen["body"]).encode(), seen["headers"]))


def test_what_the_request_says_of_itself() -> None:
    seen = captured("subagent")
    assert (seen.model, seen.session, seen.agent) == (
        "mock-large",
        "1fdb9bbd-91c7-430e-a8f0-64618222ccbb",
        "a000658b18f6837f5",
    )
    assert seen.headers["x-app"] == "cli"
    assert seen.client is None
    assert facts("ci").client == "ci"
    assert repr(facts()) == "<Facts of a request for 'm'>"


@pytest.mark.parametrize(
    ("name", "thinking", "effort", "output"),
    [
        ("plain", "adaptive", "medium", 128_000),
        ("older-model-thinking", "enabled", None, 32_000),
        ("thinking_disabled", "disabled", None, 32_000),
        ("web_search", None, "medium", 128_000),
        ("classifier", "disabled", None, 64),
    ],
)
def test_thinking_effort_and_output_are_read(
    name: str, thinking: str | None, effort: str | None, output: int
) -> None:
    seen = captured(name)
    assert (seen.thinking, seen.effort, seen.output_tokens) == (thinking, effort, output)


@pytest.mark.parametrize(
    ("body", "effort"),
    [
        pytest.param({"reasoning_effort": "low"}, "low", id="chat-completions"),
        pytest.param({"reasoning": {"effort": "high"}}, "high", id="reasoning-object"),
        pytest.param({"output_config": {"effort": 3}, "reasoning_effort": "low"}, "low", id="no-word"),
        pytest.param(
            {
                "output_config": {"effort": "low"},
                "messages": [
                    {"role": "user", "content": "a", "output_config": {"effort": "max"}},
                    {"role": "assistant", "content": "b"},
                ],
            },
            "max",
            id="of-a-turn",
        ),
        pytest.param({}, None, id="none"),
    ],
)
def test_the_effort_of_the_last_turn_goes_before_that_of_the_request(
    body: dict[str, Any], effort: str | None
) -> None:
    assert facts(**body).effort == effort


def test_images_are_found_inside_the_results_of_tools() -> None:
    assert captured("image").has_images
    assert not captured("plain").has_images


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, True, id="anthropic"),
        pytest.param({"tools": [{"type": "web_search_preview"}]}, True, id="openai"),
        pytest.param({"web_search_options": {}}, True, id="chat-completions"),
        pytest.param({"tools": [{"name": "web_search"}]}, False, id="the-clients-own-tool"),
        pytest.param({}, False, id="none"),
    ],
)
def test_a_search_by_the_provider_is_told_from_a_tool_of_the_client(
    body: dict[str, Any], expected: bool
) -> None:
    assert facts(**body).has_web_search is expected


def test_tokens_are_those_of_everything_that_is_read() -> None:
    seen = captured("plain")
    without = {key: value for key, value in seen.body.items() if key != "tools"}
    assert seen.input_tokens == estimate(seen.body, "anthropic")
    assert len(seen.tools) == len(seen.body["tools"])
    assert facts(**without).input_tokens < seen.input_tokens
    assert facts(max_completion_tokens=7).output_tokens == 7
    assert facts(generationConfig={"maxOutputTokens": 9}).output_tokens == 9
    assert facts(max_tokens=True).output_tokens == 0


def test_what_the_user_said_last_leaves_out_reminders() -> None:
    reminder = {"type": "text", "text": "<system-reminder>\nx\n</system-reminder>"}
    said = {
        "role": "user",
        "content": [reminder, {"type": "text", "text": "one"}, IMAGE, {"type": "text", "text": "two"}],
    }
    answer = {"role": "assistant", "content": "three"}
    assert facts(messages=[said, answer]).last_user_text == "one\ntwo"
    assert facts(messages=[{"role": "user", "content": "plain"}]).last_user_text == "plain"
    assert facts(messages=[answer]).last_user_text == ""


def test_the_system_prompt_is_read_block_by_block() -> None:
    assert captured("plain").system_texts[0].startswith("x-anthropic-billing-header")
    assert facts(system="one").system_texts == ("one",)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = (
    "messages",
    "tools",
    "system",
    "thinking",
    "output_config",
    "reasoning",
    "max_tokens",
    "web_search_options",
)


@given(
    st.dictionaries(
        st.sampled_from(KEYS),
        JSON
        | st.lists(
            st.dictionaries(st.sampled_from(("role", "content", "type", "text", "output_config")), JSON),
            max_size=3,
        ),
    )
)
def test_no_body_is_too_odd(body: dict[str, Any]) -> None:
    seen = facts(**body)
    assert isinstance(seen.has_images, bool)
    assert isinstance(seen.has_web_search, bool)
    assert seen.input_tokens >= 1
    assert seen.output_tokens >= 0
    assert isinstance(seen.last_user_text, str)
    assert isinstance(seen.system_texts, tuple)
    assert seen.effort is None or seen.effort
    assert seen.thinking is None or isinstance(seen.thinking, str)
