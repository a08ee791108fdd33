import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.totals import (
    MAX_TALLIES,
    Count,
    Counter,
    Histogram,
    MetricsSnapshot,
    Observation,
    Tally,
    Totals,
    merged,
)

GET = (("method", "get"),)


def test_counts_of_the_same_labels_add_up() -> None:
    totals = Totals()
    totals.add([Count("calls", GET), Count("calls", GET, 2), Count("calls", (("method", "put"),))])
    snapshot = totals.snapshot()
    assert snapshot.counters == (
        Counter("calls", GET, 3),
        Counter("calls", (("method", "put"),), 1),
    )
    assert (snapshot.total("calls"), snapshot.total("calls", method="get")) == (4, 3)
    assert repr(totals) == "<Totals 2 counters, 0 histograms>"


def test_a_tally_adds_to_the_series_that_it_names() -> None:
    totals = Totals(bounds={"wait": (1.0,)})
    tally = Tally((("calls", GET), ("bytes", ())), (("wait", GET),))
    totals.add([Count("calls", GET)])
    for _ in range(2):
        totals.add_up(tally, (1, 50), ((0.5,),))
    totals.add_up(Tally((("calls", GET),)), (4,))
    snapshot = totals.snapshot()
    assert (snapshot.total("calls"), snapshot.total("bytes")) == (7, 100)
    assert snapshot.histograms == (Histogram("wait", GET, (1.0,), (2, 0), 1.0),)
    with pytest.raises(ValueError, match="zip"):
        totals.add_up(tally, (1,))


def test_more_tallies_than_are_remembered_count_all_the_same() -> None:
    totals = Totals(max_series=2)
    tallies = [Tally((("calls", (("n", str(number)),)),)) for number in range(MAX_TALLIES + 5)]
    for _ in range(2):
        for tally in tallies:
            totals.add_up(tally, (1,))
    snapshot = totals.snapshot()
    assert [counter.value for counter in snapshot.counters] == [2, 2, 2 * (MAX_TALLIES + 3)]


def test_values_fall_into_the_bucket_that_they_do_not_exceed() -> None:
    totals = Totals(bounds={"wait": (1.0, 2.0)})
    totals.add((), [Observation("wait", value) for value in (0.5, 1.0, 1.5, 9.0)])
    (seen,) = totals.snapshot().histograms
    assert seen == Histogram("wait", (), (1.0, 2.0), (2, 1, 1), 12.0)
    assert seen.count == 4


def test_labels_beyond_the_bound_are_counted_as_other() -> None:
    totals = Totals(max_series=2)
    for number in range(5):
        totals.add(
            [Count("calls", (("model", f"m{number}"),))], [Observation("wait", 1, (("m", str(number)),))]
        )
    snapshot = totals.snapshot()
    assert [dict(counter.labels)["model"] for counter in snapshot.counters] == ["m0", "m1", "other"]
    assert snapshot.total("calls") == 5
    assert sum(histogram.count for histogram in snapshot.histograms) == 5
    assert len(snapshot.histograms) == 3


amounts = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=12)


@given(amounts, amounts)
def test_merging_is_counting_in_one_place(one: list[tuple[str, int]], other: list[tuple[str, int]]) -> None:
    def counted(entries: list[tuple[str, int]]) -> MetricsSnapshot:
        totals = Totals()
        for name, amount in entries:
            totals.add([Count(name, GET, amount)], [Observation(f"{name}_s", amount)])
        return totals.snapshot()

    assert merged(counted(one), counted(other)) == counted(one + other)


def test_merging_nothing_is_nothing() -> None:
    assert merged() == MetricsSnapshot()


def test_histograms_of_other_buckets_are_left_out() -> None:
    one = Histogram("wait", (), (1.0,), (1, 0), 0.5)
    other = Histogram("wait", (), (2.0,), (1, 0), 0.5)
    result = merged(MetricsSnapshot((), (one,)), MetricsSnapshot((), (other,)))
    assert result.histograms == (one,)


@pytest.mark.parametrize("value", [float("inf"), 1e308])
def test_a_value_above_all_bounds_is_in_the_last_bucket(value: float) -> None:
    totals = Totals()
    totals.add((), [Observation("wait", value)])
    (seen,) = totals.snapshot().histograms
    assert seen.buckets[-1] == 1
