from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from actors.rolling import Rolling


def test_what_is_older_than_the_window_is_forgotten() -> None:
    rolling = Rolling(10, kinds=2)
    rolling.add(0.5)
    rolling.add(3.2, 1)
    assert rolling.totals(9.9) == (1, 1)
    assert rolling.totals(10) == (0, 1)
    assert rolling.totals(13) == (0, 0)


def test_a_cleared_window_begins_with_nothing() -> None:
    rolling = Rolling(10)
    rolling.add(1)
    rolling.clear()
    assert rolling.totals(1) == (0,)
    assert repr(rolling) == "<Rolling [0]>"


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 2))))
def test_the_totals_are_those_of_the_buckets_that_are_left(steps: list[tuple[float, int]]) -> None:
    rolling, seen, now = Rolling(10, kinds=3), deque[tuple[int, int]](), 0.0
    for wait, kind in steps:
        now += wait
        rolling.add(now, kind)
        seen.append((int(now // 1), kind))
        left = [k for bucket, k in seen if bucket > int(now // 1) - 10]
        assert rolling.totals(now) == tuple(left.count(kind) for kind in range(3))


def test_what_comes_after_everything_was_forgotten_is_counted_in_the_same_bucket_again() -> None:
    counts = Rolling(10, buckets=10)
    counts.add(5)
    assert counts.totals(20) == (0,)
    counts.add(5)
    assert counts.totals(5) == (1,)
