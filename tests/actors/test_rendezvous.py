from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.rendezvous import rank, ranked, weighted

GROUPS = [f"session-{number}" for number in range(3000)]


@given(st.text(), st.sets(st.text(), max_size=8))
def test_the_order_is_the_groups_own_whatever_the_order_of_the_members(group: str, members: set[str]) -> None:
    order = ranked(group, members)
    assert sorted(order) == sorted(members)
    assert ranked(group, reversed(order)) == order


@given(st.text(), st.sets(st.text(), min_size=1, max_size=8))
def test_who_is_gone_leaves_the_others_in_their_order(group: str, members: set[str]) -> None:
    first, *rest = ranked(group, members)
    assert ranked(group, members - {first}) == rest


@pytest.mark.parametrize("members", [2, 3, 4, 5, 8])
def test_groups_spread_evenly(members: int) -> None:
    firsts = Counter(ranked(group, range(members))[0] for group in GROUPS)
    fair = len(GROUPS) / members
    assert set(firsts) == set(range(members))
    assert all(0.8 * fair < count < 1.2 * fair for count in firsts.values())


def test_group_and_member_are_told_apart() -> None:
    assert rank("a", "bc") != rank("ab", "c")


WEIGHTS = st.lists(
    st.tuples(st.text(max_size=8), st.floats(0.01, 100)), max_size=6, unique_by=lambda arm: arm[0]
)


def test_shares_are_those_of_the_weights() -> None:
    weights = (("a", 70.0), ("b", 25.0), ("c", 5.0))
    firsts = Counter(weighted(group, weights)[0] for group in GROUPS)
    assert all(abs(firsts[name] - weight * 30) < 90 for name, weight in weights)


def test_who_has_no_weight_is_left_out() -> None:
    assert weighted("g", (("a", 0.0), ("b", 1.0))) == ["b"]
    assert weighted("g", ()) == []


@given(st.text(max_size=20), WEIGHTS)
def test_with_weights_everybody_is_ranked_once_and_always_alike(
    group: str, weights: list[tuple[str, float]]
) -> None:
    order = weighted(group, weights)
    assert sorted(order) == sorted(name for name, _ in weights)
    assert order == weighted(group, weights[::-1])


@given(st.text(max_size=20), WEIGHTS, st.data())
def test_with_weights_only_the_groups_of_who_is_gone_move(
    group: str, weights: list[tuple[str, float]], data: st.DataObject
) -> None:
    order = weighted(group, weights)
    if order:
        gone = data.draw(st.sampled_from(order))
        left = [pair for pair in weights if pair[0] != gone]
        assert weighted(group, left) == [name for name in order if name != gone]
