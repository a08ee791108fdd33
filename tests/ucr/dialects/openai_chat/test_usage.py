"""Token counts."""

from typing import Any

import pytest
from msgspec import ValidationError, convert

from ucr.dialects.openai_chat.usage import PlainUsage, chunk_usage, estimated, plain_usage_of, usage_of
from ucr.events import Usage

COUNTS: list[Any] = [
    pytest.param(
        {"prompt_tokens": 2006, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 1920}},
        Usage(86, 3, cache_read_tokens=1920),
        id="edge-156",
    ),
    pytest.param(
        {"prompt_tokens": 5, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 9}},
        Usage(0, 3, cache_read_tokens=9),
        id="edge-157",
    ),
    pytest.param(
        {
            "prompt_tokens": 1000,
            "completion_tokens": 3,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 400},
        },
        Usage(600, 3, 0, 400),
        id="edge-158",
    ),
    pytest.param(
        {
            "prompt_tokens": 9,
            "completion_tokens": 3,
            "prompt_cache_hit_tokens": 4,
            "prompt_cache_miss_tokens": 5,
        },
        Usage(5, 3, 4),
        id="edge-160",
    ),
    pytest.param(
        {"prompt_tokens": 1, "completion_tokens": 3, "completion_tokens_details": {"reasoning_tokens": 2}},
        Usage(1, 3, thinking_tokens=2),
        id="reasoning-inside",
    ),
    pytest.param(
        {
            "prompt_tokens": 307,
            "completion_tokens": 26,
            "total_tokens": 588,
            "completion_tokens_details": {"reasoning_tokens": 255},
        },
        Usage(307, 281, thinking_tokens=255),
        id="reasoning-outside",
    ),
    pytest.param(
        {"prompt_tokens": 1, "completion_tokens": 3, "completion_tokens_details": {"reasoning_tokens": 9}},
        Usage(1, 3, thinking_tokens=3),
        id="more-reasoning-than-output",
    ),
    pytest.param({"prompt_tokens": 4.0, "completion_tokens": None}, Usage(4), id="float-and-null"),
    pytest.param({"prompt_tokens": -1, "completion_tokens": 2}, Usage(None, 2), id="negative"),
    pytest.param({"prompt_tokens": True, "completion_tokens": "3"}, None, id="no-numbers"),
    pytest.param(
        {"prompt_tokens": float("inf"), "completion_tokens": float("nan")}, None, id="no-finite-numbers"
    ),
    pytest.param({"total_tokens": 3}, None, id="total-alone"),
    pytest.param(None, None, id="edge-162"),
    pytest.param([1], None, id="list"),
]


@pytest.mark.parametrize(("raw", "usage"), COUNTS)
def test_counts_are_read_as_anthropic_counts(raw: object, usage: Usage | None) -> None:
    assert usage_of(raw) == usage


@pytest.mark.parametrize(("raw", "usage"), COUNTS)
def test_plain_counters_are_read_alike_and_others_do_not_fit(raw: object, usage: Usage | None) -> None:
    try:
        plain = convert(raw, PlainUsage)
    except ValidationError:
        assert raw in (None, [1]) or any(
            type(value) not in (int, dict) or value == -1 for value in raw.values()
        )  # type: ignore[attr-defined]
    else:
        assert plain_usage_of(plain) == usage


@pytest.mark.parametrize(
    ("chunk", "usage"),
    [
        pytest.param({"x_groq": {"usage": {"prompt_tokens": 1}}}, Usage(1), id="edge-08"),
        pytest.param(
            {"x_groq": {"usage": {"prompt_tokens": 1}}, "usage": {"prompt_tokens": 2}}, Usage(2), id="both"
        ),
        pytest.param({"x_groq": None, "usage": None}, None, id="none"),
    ],
)
def test_usage_is_found_where_groq_puts_it(chunk: dict[str, Any], usage: Usage | None) -> None:
    assert chunk_usage(chunk) == usage


@pytest.mark.parametrize(("chars", "tokens"), [(0, 0), pytest.param(1, 1, id="edge-06"), (4, 1), (5, 2)])
def test_any_content_is_at_least_one_token(chars: int, tokens: int) -> None:
    assert estimated(chars) == tokens
