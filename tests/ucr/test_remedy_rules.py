"""The words of providers, and what they ask for."""

from typing import Any

import pytest

from ucr.remedies import Remedy
from ucr.remedy_rules import remedies_for

BETA = "context-1m-2025-08-07"
BODY: dict[str, Any] = {
    "model": "m",
    "max_tokens": 200_000,
    "max_output_tokens": 200_000,
    "temperature": 0.5,
    "top_p": 0.9,
    "seed": 1,
    "user": "u",
    "reasoning_effort": "minimal",
    "presence_penalty": 1,
    "context_management": {"edits": []},
    "thinking": {"type": "enabled", "budget_tokens": 2000},
    "output_config": {"effort": "high", "format": {"type": "json_schema"}},
    "generationConfig": {"maxOutputTokens": 65536, "thinkingConfig": {"thinkingBudget": 64000}, "topK": 3},
    "tools": [{"name": "t", "input_schema": {"type": "object"}, "defer_loading": True}],
    "tool_choice": {"type": "any"},
    "messages": [{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {"scope": "g"}}]}],
}

CASES: list[tuple[str, Remedy | None]] = [
    (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        Remedy("rename", ("max_tokens",), "max_completion_tokens"),
    ),
    (
        "max_tokens: 200000 > 64000, which is the maximum allowed number of output tokens for m",
        Remedy("cap", ("max_tokens",), 64000),
    ),
    (
        "max_tokens is too large: 200000. This model supports at most 16384 completion tokens, whereas you provided 200000.",
        Remedy("cap", ("max_tokens",), 16384),
    ),
    (
        "Invalid 'max_output_tokens': integer above maximum value. Expected a value <= 128000, but got 200000 instead.",
        Remedy("cap", ("max_output_tokens",), 128000),
    ),
    (
        "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
        Remedy("cap", ("max_tokens",), 8192),
    ),
    (
        "`max_tokens` must be less than or equal to `8192`, the maximum value",
        Remedy("cap", ("max_tokens",), 8192),
    ),
    (
        "Unable to submit request because it has a maxOutputTokens value of 65536 but the supported range is from 1"
        " (inclusive) to 8193 (exclusive). Update the value and try again.",
        Remedy("cap", ("generationConfig", "maxOutputTokens"), 8192),
    ),
    (
        "The thinking budget 64000 is invalid. Please choose a value between 512 and 24576.",
        Remedy("cap", ("generationConfig", "thinkingConfig", "thinkingBudget"), 24576),
    ),
    ("context_management: Extra inputs are not permitted", Remedy("drop", ("context_management",))),
    (
        "tools.0.custom.defer_loading: Extra inputs are not permitted",
        Remedy("drop", ("tools", "defer_loading")),
    ),
    (
        "messages.0.content.0.text.cache_control.scope: Extra inputs are not permitted",
        Remedy("drop", ("messages", "content", "cache_control", "scope")),
    ),
    ("body.seed: Extra inputs are not permitted", Remedy("drop", ("seed",))),
    ("Extra inputs are not permitted, field: 'seed', value: 1", Remedy("drop", ("seed",))),
    ("Unknown parameter: 'seed'.", Remedy("drop", ("seed",))),
    ("Unrecognized request argument supplied: user", Remedy("drop", ("user",))),
    (
        "Unsupported parameter: 'temperature' is not supported with this model.",
        Remedy("drop", ("temperature",)),
    ),
    (
        "Unsupported value: 'temperature' does not support 0.5 with this model. Only the default (1) value is supported.",
        Remedy("drop", ("temperature",), 0.5),
    ),
    ("invalid temperature: only 1 is allowed for this model", Remedy("drop", ("temperature",), 0.5)),
    (
        "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        Remedy("drop", ("top_p",)),
    ),
    ("`temperature` is deprecated for this model.", Remedy("drop", ("temperature",))),
    ("`reasoning_effort` is not supported with this model", Remedy("drop", ("reasoning_effort",))),
    ("Argument not supported on this model: presencePenalty", Remedy("drop", ("presence_penalty",))),
    ("property 'seed' is unsupported", Remedy("drop", ("seed",))),
    ("This model does not support the effort parameter.", Remedy("drop", ("output_config", "effort"))),
    ("adaptive thinking is not supported on this model", Remedy("drop", ("thinking",))),
    (
        '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and'
        ' "output_config.effort" to control thinking behavior.',
        Remedy("adaptive"),
    ),
    (
        "Invalid JSON payload received. Unknown name \"topK\" at 'generation_config': Cannot find field.",
        Remedy("drop", ("generationConfig", "topK")),
    ),
    (
        'Invalid JSON payload received. Unknown name "additionalProperties" at'
        " 'tools[0].function_declarations[0].parameters': Cannot find field.",
        Remedy("keyword", value="additionalProperties"),
    ),
    (
        "Invalid schema for function 't': In context=(), 'format' is not permitted.",
        Remedy("keyword", value="format"),
    ),
    (
        "tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level",
        Remedy("root"),
    ),
    (f"Unexpected value(s) `{BETA}` for the `anthropic-beta` header.", Remedy("beta", value=BETA)),
    ("messages.1.content.0: Invalid `signature` in `thinking` block", Remedy("thoughts")),
    ("The encrypted content gAAA could not be verified.", Remedy("thoughts")),
    # What says something, or shapes the answer, stays.
    ("messages: Extra inputs are not permitted", None),
    ("messages.0.content.0.text.text: Extra inputs are not permitted", None),
    ("tools.0.custom.input_schema: Extra inputs are not permitted", None),
    ("output_config.format: Extra inputs are not permitted", None),
    ("output_config: Extra inputs are not permitted", None),
    ("Unknown parameter: 'tool_choice'.", None),
    ("Invalid schema for function 't': In context=(), 'properties' is not permitted.", None),
    # What is not there cannot be left out, and what nobody understands is not touched.
    ("Unknown parameter: 'frobnicate'.", None),
    ("messages: text content blocks must be non-empty", None),
    ("", None),
]


@pytest.mark.parametrize(("words", "remedy"), CASES)
def test_words_ask_for_a_remedy(words: str, remedy: Remedy | None) -> None:
    assert next(remedies_for(words, BODY, f"a-1,{BETA}"), None) == remedy


def test_a_beta_that_was_not_sent_is_not_left_out() -> None:
    assert list(remedies_for(f"Unexpected value(s) `{BETA}` for the `anthropic-beta` header.", BODY, "")) == []


def test_endless_words_are_read_in_part() -> None:
    assert list(remedies_for("x" * 2000 + " Unknown parameter: 'seed'.", BODY, "")) == []
