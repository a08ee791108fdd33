import pytest

from ucr.dialects.bedrock.usage import usage_of
from ucr.events import MOST_TOKENS, Usage


def test_the_input_is_counted_without_the_cache() -> None:
    usage = {"inputTokens": 3, "outputTokens": 5, "cacheReadInputTokens": 7, "cacheWriteInputTokens": 9}
    assert usage_of({"usage": usage}) == Usage(3, 5, 7, 9)


def test_what_was_written_for_an_hour_is_told_apart() -> None:
    details = [
        {"ttl": "5m", "inputTokens": 1},
        {"ttl": "1h", "inputTokens": 2},
        {"ttl": "1h", "inputTokens": "x"},
    ]
    assert usage_of({"usage": {"cacheDetails": details}}) == Usage(cache_creation_1h_tokens=2)


@pytest.mark.parametrize("counter", [None, -1, True, 1.5, "3", []])
def test_what_is_no_count_is_not_known(counter: object) -> None:
    assert usage_of({"usage": {"inputTokens": counter}}) == Usage()
    assert usage_of({"usage": counter}) == Usage()


def test_a_count_beyond_all_bounds_is_cut() -> None:
    assert usage_of({"usage": {"outputTokens": 10**30}}) == Usage(output_tokens=MOST_TOKENS)
