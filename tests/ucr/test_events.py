"""The canonical answer."""

from hypothesis import given
from hypothesis import strategies as st

from ucr.events import TextDelta, ThinkingDelta, Usage, pieces_of

COUNT = st.none() | st.integers(0, 5)
USAGES = st.builds(Usage, COUNT, COUNT, COUNT, COUNT, COUNT)


def test_later_counters_overwrite_what_they_know() -> None:
    before = Usage(input_tokens=7, output_tokens=1, cache_read_tokens=3)
    later = Usage(output_tokens=9, cache_read_tokens=0, thinking_tokens=2)
    assert before.updated(later) == Usage(7, 9, 0, None, 2)


@given(usage=USAGES)
def test_unknown_counters_change_nothing(usage: Usage) -> None:
    assert usage.updated(Usage()) == usage == Usage().updated(usage) == usage.updated(usage)


@given(first=USAGES, second=USAGES, third=USAGES)
def test_updates_can_be_grouped_in_any_way(first: Usage, second: Usage, third: Usage) -> None:
    assert first.updated(second).updated(third) == first.updated(second.updated(third))


def test_a_delta_has_the_pieces_that_came_at_once_or_is_its_only_one() -> None:
    assert pieces_of(TextDelta("ab", ("a", "b"))) == pieces_of(ThinkingDelta("ab", ("a", "b"))) == ("a", "b")
    assert pieces_of(TextDelta("ab")) == pieces_of(ThinkingDelta("ab")) == ("ab",)
    assert pieces_of(TextDelta("")) == pieces_of(ThinkingDelta("")) == ()
