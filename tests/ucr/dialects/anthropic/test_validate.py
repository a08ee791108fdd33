from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr.dialects.anthropic import validate
from ucr.errors import ApiError

GOOD: dict[str, Any] = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "q"}]}


def with_block(block: Any) -> dict[str, Any]:
    return {**GOOD, "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": [block]}]}


def without(key: str) -> dict[str, Any]:
    return {k: v for k, v in GOOD.items() if k != key}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "body: Input should be a valid dictionary"),
        (without("model"), "model: Field required"),
        (without("max_tokens"), "max_tokens: Field required"),
        (without("messages"), "messages: Field required"),
        ({**GOOD, "model": ""}, "model: String should have at least 1 character"),
        ({**GOOD, "model": None}, "model: Input should be a valid string"),
        ({**GOOD, "max_tokens": "9"}, "max_tokens: Input should be a valid integer"),
        ({**GOOD, "max_tokens": True}, "max_tokens: Input should be a valid integer"),
        ({**GOOD, "max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
        ({**GOOD, "messages": {}}, "messages: Input should be a valid list"),
        ({**GOOD, "messages": []}, "messages: at least one message is required"),
        ({**GOOD, "messages": ["x"]}, "messages.0: Input should be a valid dictionary"),
        (
            {**GOOD, "messages": [{"role": "tool", "content": ""}]},
            "messages.0.role: Input should be 'user', 'assistant' or 'system'",
        ),
        ({**GOOD, "messages": [{"role": "user"}]}, "messages.0.content: Field required"),
        (
            {**GOOD, "messages": [{"role": "user", "content": None}]},
            "messages.0.content: Input should be a valid list",
        ),
        (with_block("x"), "messages.1.content.0: Input should be a valid dictionary"),
        (with_block({}), "messages.1.content.0.type: Field required"),
        (with_block({"type": ["text"]}), "messages.1.content.0.type: Input should be a valid string"),
        (with_block({"type": "text"}), "messages.1.content.0.text: Field required"),
        (with_block({"type": "text", "text": 5}), "messages.1.content.0.text: Input should be a valid string"),
        (with_block({"type": "image", "source": {}}), "messages.1.content.0.source.type: Field required"),
        (
            with_block({"type": "tool_use", "id": "a", "name": "n", "input": "{}"}),
            "messages.1.content.0.input: Input should be a valid dictionary",
        ),
        (with_block({"type": "tool_result"}), "messages.1.content.0.tool_use_id: Field required"),
        (
            with_block({"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text"}]}),
            "messages.1.content.0.content.0.text: Field required",
        ),
        (
            with_block({"type": "tool_result", "tool_use_id": "a", "is_error": "no"}),
            "messages.1.content.0.is_error: Input should be a valid boolean",
        ),
        (with_block({"type": "thinking"}), "messages.1.content.0.thinking: Field required"),
        (
            with_block({"type": "redacted_thinking", "data": 1}),
            "messages.1.content.0.data: Input should be a valid string",
        ),
        ({**GOOD, "system": 5}, "system: Input should be a valid list"),
        ({**GOOD, "system": [{"type": "image"}]}, "system.0.type: Input should be 'text'"),
        ({**GOOD, "tools": [{"description": "x"}]}, "tools.0.name: Field required"),
        (
            {**GOOD, "tools": [{"name": "n", "input_schema": []}]},
            "tools.0.input_schema: Input should be a valid dictionary",
        ),
        ({**GOOD, "tool_choice": "auto"}, "tool_choice: Input should be a valid dictionary"),
        ({**GOOD, "tool_choice": {"type": "tool"}}, "tool_choice.name: Field required"),
        ({**GOOD, "thinking": {"type": "enabled"}}, "thinking.budget_tokens: Field required"),
        ({**GOOD, "output_config": {"format": {}}}, "output_config.format.type: Field required"),
        ({**GOOD, "metadata": {"user_id": 5}}, "metadata.user_id: Input should be a valid string"),
        ({**GOOD, "stop_sequences": "x"}, "stop_sequences: Input should be a valid list"),
        ({**GOOD, "stop_sequences": ["x", 1]}, "stop_sequences.1: Input should be a valid string"),
        ({**GOOD, "stream": "yes"}, "stream: Input should be a valid boolean"),
        ({**GOOD, "temperature": "hot"}, "temperature: Input should be a valid number"),
        ({**GOOD, "top_p": True}, "top_p: Input should be a valid number"),
        ({**GOOD, "top_k": 1.5}, "top_k: Input should be a valid integer"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_as_the_api_names_it(body: Any, words: str) -> None:
    with pytest.raises(ApiError) as caught:
        validate.check(body)
    assert (caught.value.status, caught.value.message) == (400, words)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({**GOOD, "max_tokens": 0}, id="no-output-at-all"),
        pytest.param({**GOOD, "future": {"a": 1}, "temperature": 2}, id="unknown-field"),
        pytest.param(with_block({"type": "future_block", "text": 5}), id="edge-64-unknown-block"),
        pytest.param(
            {**GOOD, "messages": [{"role": "system", "content": [], "output_config": {}}]}, id="empty-turn"
        ),
        pytest.param({**GOOD, "messages": GOOD["messages"] * 2}, id="edge-86-two-users-in-a-row"),
        pytest.param(
            {**GOOD, "messages": [{"role": "assistant", "content": "a"}]}, id="edge-87-assistant-first"
        ),
        pytest.param(with_block({"type": "tool_result", "tool_use_id": "a"}), id="result-without-content"),
        pytest.param(
            with_block(
                {
                    "type": "tool_result",
                    "tool_use_id": "a",
                    "content": [{"type": "tool_reference", "tool_name": "n"}],
                }
            ),
            id="tool-reference",
        ),
        pytest.param({**GOOD, "tools": [{"type": "web_search_20250305", "max_uses": 8}]}, id="tool-of-the-api"),
        pytest.param(
            {**GOOD, "tools": [{"name": "n", "defer_loading": True}], "system": None}, id="deferred-tool"
        ),
        pytest.param(
            {**GOOD, "thinking": {"type": "between_tools"}, "stop_sequences": None}, id="new-thinking"
        ),
        pytest.param(
            {**GOOD, "system": [{"type": "text", "text": "s", "cache_control": None}]}, id="system-blocks"
        ),
    ],
)
def test_what_the_api_takes_or_may_take_one_day_passes(body: Any) -> None:
    validate.check(body)


def test_a_count_needs_no_output_limit() -> None:
    validate.check(without("max_tokens"), is_count=True)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=3)
    | st.sampled_from(["text", "tool_result", "user"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "content", "role", "text", "source", "input", "name"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@pytest.mark.slow
@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(sorted({*GOOD, "system", "tools", "tool_choice"})), _JSON))
def test_any_json_passes_or_is_refused_as_a_request(body: Any) -> None:
    try:
        validate.check({**GOOD, **body})
    except ApiError as error:
        assert error.status == 400
