import pytest

from ucr.dialects.openai_responses.usage import usage_of
from ucr.events import Usage


def test_what_came_from_a_cache_is_counted_apart() -> None:
    counted = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 109,
    }
    assert usage_of(counted) == Usage(30, 9, 60, 10, 4)


@pytest.mark.parametrize("given", [None, {}, [], "12", {"input_tokens": "x"}, {"total_tokens": 3}])
def test_what_counts_nothing_is_no_usage(given: object) -> None:
    assert usage_of(given) is None


def test_half_a_usage_is_one() -> None:
    assert usage_of({"output_tokens": 3}) == Usage(output_tokens=3)
