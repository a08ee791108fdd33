from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.rendezvous import rank, ranked

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
