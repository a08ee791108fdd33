import pytest

from ucr.dialects.anthropic import usage
from ucr.events import Usage

FULL = {
    "input_tokens": 1,
    "cache_creation_input_tokens": 2,
    "cache_read_input_tokens": 3,
    "output_tokens": 4,
    "output_tokens_details": {"thinking_tokens": 5},
}


def test_counters_are_read_and_written_alike() -> None:
    assert usage.read(FULL) == Usage(1, 4, 3, 2, 5)
    assert usage.written(Usage(1, 4, 3, 2, 5)) == FULL


def test_what_was_written_to_a_cache_for_an_hour_is_known() -> None:
    written = {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}
    read = usage.read({"cache_creation_input_tokens": 7, "cache_creation": written})
    assert (read.cache_creation_tokens, read.cache_creation_1h_tokens) == (7, 4)
    later = read.updated(usage.read({"output_tokens": 5}))
    assert (later.cache_creation_1h_tokens, later.output_tokens) == (4, 5)


@pytest.mark.parametrize(
    "value",
    [None, [], "x", {"input_tokens": None}, {"input_tokens": -1, "output_tokens": True}, {"input_tokens": 1.5}],
)
def test_what_is_no_counter_is_not_known(value: object) -> None:
    assert usage.read(value) == Usage()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(
            {
                "output_tokens": 8,
                "iterations": [{"output_tokens": 5}, {"type": "fallback_message", "output_tokens": 8}],
            },
            id="edge-165",
        )
    ],
)
def test_iterations_are_not_added(value: object) -> None:
    assert usage.read(value) == Usage(output_tokens=8)


def test_unknown_counters_are_left_out_but_those_that_readers_need() -> None:
    assert usage.written(Usage()) == {"output_tokens": 0}
    assert usage.written_whole(Usage()) == {"input_tokens": 0, "output_tokens": 0}
