"""The bytes of bodies that a worker holds, and who is refused when there are too many."""

import pytest

from ucr.budget import RETRY_AFTER_S, Budget, Hold
from ucr.errors import ApiError


def test_what_all_hold_together_is_bounded() -> None:
    budget = Budget(10)
    first, second = Hold(budget), Hold(budget)
    first.resize(6)
    second.resize(4)
    assert repr(budget) == "<Budget: 10 of 10 bytes>"
    with pytest.raises(ApiError) as caught:
        second.resize(5)
    assert (caught.value.status, caught.value.retry_after_s) == (529, RETRY_AFTER_S)
    assert (budget.held_bytes, second.held_bytes) == (10, 4)


def test_what_is_given_back_is_there_for_others_and_is_given_back_once() -> None:
    budget = Budget(10)
    first, second = Hold(budget), Hold(budget)
    first.resize(10)
    first.resize(3)
    second.resize(7)
    first.release()
    first.release()
    assert budget.held_bytes == 7
    second.release()
    assert budget.held_bytes == 0


def test_a_look_ahead_takes_nothing() -> None:
    budget = Budget(10)
    hold = Hold(budget)
    hold.check(10)
    with pytest.raises(ApiError):
        hold.check(11)
    assert budget.held_bytes == 0


def test_who_shrinks_is_let_even_above_the_limit() -> None:
    budget = Budget(10)
    hold = Hold(budget)
    hold.resize(10)
    budget.limit_bytes = 5
    hold.resize(8)
    assert budget.held_bytes == 8
