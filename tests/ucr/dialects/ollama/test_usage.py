import pytest

from ucr.dialects.ollama.usage import usage_of
from ucr.events import MOST_TOKENS, Usage


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"prompt_eval_count": 11, "eval_count": 7}, Usage(11, 7)),
        ({"eval_count": 7}, Usage(None, 7)),
        ({"prompt_eval_count": -1, "eval_count": "7"}, Usage()),
        ({"prompt_eval_count": True, "eval_count": 10**30}, Usage(None, MOST_TOKENS)),
    ],
)
def test_counters_are_read_without_trust(value: dict[str, object], expected: Usage) -> None:
    assert usage_of(value) == expected
