"""Token counts."""

from typing import Any

import pytest

from ucr.dialects.gemini.usage import usage_of
from ucr.events import MOST_TOKENS, Usage


@pytest.mark.parametrize(
    ("counters", "expected"),
    [
        pytest.param(
            {"promptTokenCount": 29, "candidatesTokenCount": 15, "thoughtsTokenCount": 804},
            Usage(29, 819, thinking_tokens=804),
            id="edge-159",
        ),
        pytest.param(
            {"promptTokenCount": 100, "cachedContentTokenCount": 60, "toolUsePromptTokenCount": 7},
            Usage(47, cache_read_tokens=60),
            id="edge-159-cached",
        ),
        pytest.param({"trafficType": "ON_DEMAND"}, Usage(), id="nothing-counted"),
        pytest.param({"promptTokenCount": True, "candidatesTokenCount": -1}, Usage(), id="no-counts"),
        pytest.param({"candidatesTokenCount": 10**30}, Usage(output_tokens=MOST_TOKENS), id="too-many"),
        pytest.param(None, Usage(), id="missing"),
    ],
)
def test_counters_are_read(counters: Any, expected: Usage) -> None:
    assert usage_of({"usageMetadata": counters}) == expected
