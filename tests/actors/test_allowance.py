"""What may be spent: by example, and by a machine that loses spenders and keepers as it likes."""

import math

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from actors.allowance import GONE, MAX_ACCOUNTS, MAX_SPENDERS, Allowances, Balance, Part

LIMIT = 100


def held(allowances: Allowances, *amounts: int, spender: str = "a") -> list[bool]:
    return [allowances.hold("k", 10.0, spender, number, amount, LIMIT) for number, amount in enumerate(amounts)]


def test_what_is_held_is_not_there_for_others_until_it_is_settled() -> None:
    allowances = Allowances()
    assert held(allowances, 60, 50, 40) == [True, False, True]
    assert not allowances.hold("k", 10.0, "b", 1, 1, LIMIT)
    allowances.settle("k", 10.0, "a", 0, 10)
    assert (allowances.spent("k"), allowances.held("k")) == (10, 40)
    assert allowances.hold("k", 10.0, "b", 1, 50, LIMIT)


def test_a_sum_that_is_said_twice_counts_once() -> None:
    allowances = Allowances()
    held(allowances, 20)
    for _ in range(2):
        allowances.settle("k", 10.0, "a", 0, 15)
    assert (allowances.spent("k"), allowances.held("k")) == (15, 0)


def test_more_than_was_held_may_turn_out_to_be_spent_and_then_nothing_is_left() -> None:
    allowances = Allowances()
    held(allowances, 100)
    allowances.settle("k", 10.0, "a", 0, 130)
    assert not allowances.hold("k", 10.0, "a", 1, 0, LIMIT)
    assert allowances.hold("k", 10.0, "a", 1, 20, 150)


def test_what_a_spender_held_that_is_gone_counts_as_spent_until_it_comes_back() -> None:
    allowances = Allowances()
    held(allowances, 60)
    allowances.leave("a")
    assert (allowances.spent("k"), allowances.held("k")) == (60, 0)
    allowances.declare("a", (Part("k", 10.0, 5, ((7, 20),)),))
    assert (allowances.spent("k"), allowances.held("k")) == (5, 20)


def test_a_spender_that_does_not_speak_of_an_account_has_nothing_of_it() -> None:
    allowances = Allowances((Balance("k", "a", 10.0, 40), Balance("k", "b", 10.0, 3)))
    allowances.declare("a", ())
    assert allowances.spent("k") == 3
    assert allowances.changes() == (Balance("k", "a", 10.0, 0),)


def test_changes_are_told_once_with_what_is_held() -> None:
    allowances = Allowances((Balance("k", GONE, 10.0, 30),))
    assert allowances.changes() == ()
    held(allowances, 20)
    assert allowances.changes() == (Balance("k", "a", 10.0, 20),)
    assert allowances.changes() == ()
    allowances.settle("k", 10.0, "a", 0, 4)
    assert allowances.changes() == (Balance("k", "a", 10.0, 4),)
    allowances.touch()
    assert set(allowances.changes()) == {Balance("k", "a", 10.0, 4), Balance("k", GONE, 10.0, 30)}


def test_a_hold_that_nobody_waited_for_is_released() -> None:
    allowances = Allowances()
    held(allowances, 60)
    allowances.release("k", "a", 0)
    assert (allowances.spent("k"), allowances.held("k")) == (0, 0)


def test_an_account_that_has_ended_is_forgotten_when_nothing_is_held_of_it() -> None:
    allowances = Allowances()
    allowances.hold("over", 10.0, "a", 1, 5, LIMIT)
    allowances.hold("open", math.inf, "a", 2, 5, LIMIT)
    allowances.end(11.0)
    assert len(allowances) == 2
    allowances.settle("over", 10.0, "a", 1, 5)
    allowances.end(11.0)
    assert (len(allowances), allowances.held("open")) == (1, 5)


def test_only_so_many_accounts_are_known() -> None:
    allowances = Allowances(Balance(f"k{n}", GONE, float(n), 1) for n in range(MAX_ACCOUNTS + 10))
    allowances.end(-1.0)
    assert len(allowances) == MAX_ACCOUNTS
    assert (allowances.spent("k9"), allowances.spent("k10")) == (0, 1)


def test_those_who_are_gone_are_counted_together_when_there_are_many() -> None:
    allowances = Allowances()
    for number in range(5 * MAX_SPENDERS):
        allowances.hold("k", 10.0, f"s{number}", 1, 1, 10**6)
        allowances.settle("k", 10.0, f"s{number}", 1, 1)
        allowances.leave(f"s{number}")
    assert allowances.spent("k") == 5 * MAX_SPENDERS
    latest = {(one.account, one.spender): one.amount for one in allowances.changes()}
    assert sum(latest.values()) == 5 * MAX_SPENDERS
    assert sum(amount > 0 for amount in latest.values()) <= MAX_SPENDERS + 1


class AllowanceMachine(RuleBasedStateMachine):
    """Two spenders and a keeper that loses its memory, or one of them, between any two steps."""

    holds = Bundle("holds")
    names = st.sampled_from(["a", "b"])

    def __init__(self) -> None:
        super().__init__()
        self.allowances = Allowances()
        self.held: dict[str, dict[int, int]] = {"a": {}, "b": {}}
        self.spent = {"a": 0, "b": 0}
        self.beyond = 0
        self.number = 0
        self.kept: dict[tuple[str, str], Balance] = {}

    @rule(target=holds, spender=names, amount=st.integers(0, 60))
    def hold(self, spender: str, amount: int) -> object:
        self.number += 1
        if not self.allowances.hold("k", 10.0, spender, self.number, amount, LIMIT):
            assert amount > LIMIT - self._known()
            return multiple()
        self.held[spender][self.number] = amount
        return spender, self.number

    @rule(hold=consumes(holds), part=st.integers(0, 4))
    def settle(self, hold: tuple[str, int], part: int) -> None:
        spender, number = hold
        amount = self.held[spender].pop(number)
        self.spent[spender] += amount * part // 4
        self.allowances.settle("k", 10.0, spender, number, self.spent[spender])

    @rule(hold=consumes(holds), more=st.integers(1, 10))
    def overspend(self, hold: tuple[str, int], more: int) -> None:
        spender, number = hold
        self.spent[spender] += self.held[spender].pop(number) + more
        self.beyond += more
        self.allowances.settle("k", 10.0, spender, number, self.spent[spender])

    @rule(spender=names)
    def lose_connection(self, spender: str) -> None:
        self.allowances.leave(spender)
        assert self._known() >= sum(self.spent.values()) + sum(self.held[spender].values())
        self._declare(spender)

    @rule()
    def keep(self) -> None:
        self.kept.update({(one.account, one.spender): one for one in self.allowances.changes()})

    @rule()
    def lose_keeper(self) -> None:
        self.keep()
        self.allowances = Allowances(self.kept.values())
        assert self._known() == sum(self.spent.values()) + self._all_held()
        for spender in self.held:
            self._declare(spender)

    def _declare(self, spender: str) -> None:
        part = Part("k", 10.0, self.spent[spender], tuple(self.held[spender].items()))
        self.allowances.declare(spender, (part,))

    def _known(self) -> int:
        return self.allowances.spent("k") + self.allowances.held("k")

    def _all_held(self) -> int:
        return sum(sum(held.values()) for held in self.held.values())

    @invariant()
    def nothing_is_overspent_but_what_nobody_could_foresee(self) -> None:
        assert self._known() == sum(self.spent.values()) + self._all_held()
        assert self._known() <= LIMIT + self.beyond


TestAllowances = pytest.mark.slow(AllowanceMachine.TestCase)
TestAllowances.settings = settings(max_examples=150, stateful_step_count=40, deadline=None, derandomize=True)
