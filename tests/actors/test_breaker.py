from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from actors.breaker import RECHECK_S, Breaker, BreakerSpec, BreakerStatus, Pass

SPEC = BreakerSpec()


def fail(breaker: Breaker, times: int, now: float = 0.0, dice: float = 0.0) -> None:
    for _ in range(times):
        breaker.failed(entered(breaker, now), now, dice)


def succeed(breaker: Breaker, times: int, now: float = 0.0, ttfb_s: float | None = None) -> None:
    for _ in range(times):
        breaker.succeeded(entered(breaker, now), now, 0.0, ttfb_s)


def entered(breaker: Breaker, now: float) -> Pass:
    given = breaker.enter(now, 0.0)
    assert given is not None
    return given


def opened(now: float = 0.0, **changes: Any) -> Breaker:
    breaker = Breaker(replace(SPEC, **changes))
    fail(breaker, 5, now)
    assert breaker.state == "open"
    return breaker


def test_five_failures_in_a_row_open_it() -> None:
    breaker = Breaker(SPEC)
    fail(breaker, 4)
    assert (breaker.state, breaker.admits(0)) == ("closed", True)
    succeed(breaker, 1)
    fail(breaker, 4)
    assert breaker.state == "closed"
    fail(breaker, 1)
    assert (breaker.state, breaker.admits(0), breaker.retry_at(0)) == ("open", False, 30)
    assert breaker.status() == BreakerStatus("open", 30, 5, 1)


def test_half_of_enough_calls_failing_opens_it() -> None:
    breaker = Breaker(SPEC)
    for _ in range(4):
        succeed(breaker, 1)
        fail(breaker, 1)
    succeed(breaker, 1)
    assert breaker.state == "closed"
    fail(breaker, 1)
    assert breaker.state == "open"


def test_the_first_failure_of_the_day_does_not_open_it() -> None:
    breaker = Breaker(SPEC)
    fail(breaker, 1)
    assert breaker.state == "closed"


def test_failures_that_are_long_past_do_not_count() -> None:
    breaker = Breaker(SPEC)
    for _ in range(4):
        fail(breaker, 1, now=0)
        succeed(breaker, 1, now=0)
    fail(breaker, 1, now=11)
    succeed(breaker, 1, now=11)
    assert breaker.state == "closed"


def test_slow_calls_open_it_where_slowness_is_set() -> None:
    breaker = Breaker(replace(SPEC, slow_s=2))
    succeed(breaker, 5, ttfb_s=2)
    succeed(breaker, 4, ttfb_s=2.1)
    assert breaker.state == "closed"
    succeed(breaker, 1, ttfb_s=2.1)
    assert breaker.state == "open"


def test_no_call_is_slow_where_slowness_is_not_set() -> None:
    breaker = Breaker(SPEC)
    succeed(breaker, 50, ttfb_s=600)
    assert breaker.state == "closed"


def test_one_that_is_turned_off_never_opens() -> None:
    breaker = Breaker(replace(SPEC, enabled=False))
    fail(breaker, 50)
    assert (breaker.state, breaker.failures) == ("closed", 0)


def test_after_the_ejection_one_probe_decides() -> None:
    breaker = opened()
    assert breaker.enter(29.9, 0) is None
    probe = entered(breaker, 30)
    assert (probe.is_probe, breaker.state) == (True, "half_open")
    assert breaker.enter(30, 0) is None
    assert breaker.retry_at(30) == 30 + RECHECK_S
    breaker.succeeded(probe, 31, 0)
    assert breaker.status() == BreakerStatus("closed", None, 0, 1)


def test_a_failed_probe_doubles_the_ejection_up_to_its_limit() -> None:
    breaker, lengths = opened(), []
    now = 30.0
    for _ in range(5):
        breaker.failed(entered(breaker, now), now, 0)
        until = breaker.retry_at(now)
        assert until is not None
        lengths.append(until - now)
        now = until
    assert lengths == [60, 120, 240, 300, 300]


def test_jitter_only_shortens_an_ejection() -> None:
    breaker = Breaker(SPEC)
    fail(breaker, 5, dice=1.0)
    assert breaker.retry_at(0) == 24


def test_time_spent_closed_makes_the_next_ejection_shorter() -> None:
    breaker = opened()
    breaker.failed(entered(breaker, 30), 30, 0)
    breaker.succeeded(entered(breaker, 90), 90, 0)
    fail(breaker, 5, now=95)
    assert breaker.retry_at(95) == 95 + 120
    breaker.succeeded(entered(breaker, 300), 300, 0)
    fail(breaker, 5, now=300 + 100)
    assert breaker.retry_at(400) == 400 + 30


def test_several_probes_must_all_succeed() -> None:
    breaker = opened(probes=2)
    first, second = entered(breaker, 30), entered(breaker, 30)
    assert not breaker.admits(30)
    breaker.succeeded(first, 30, 0)
    assert (breaker.state, breaker.admits(30)) == ("half_open", False)
    breaker.succeeded(second, 30, 0)
    assert breaker.state == "closed"


def test_a_probe_that_is_given_back_makes_place_for_another() -> None:
    breaker = opened()
    breaker.gave_back(entered(breaker, 30))
    assert (breaker.state, breaker.admits(30), breaker.retry_at(30)) == ("half_open", True, None)
    breaker.succeeded(entered(breaker, 31), 31, 0)
    assert breaker.state == "closed"


def test_a_probe_that_does_not_come_back_counts_as_failed() -> None:
    breaker = opened()
    late = entered(breaker, 30)
    breaker.expire(59.9, 0)
    assert breaker.state == "half_open"
    breaker.expire(61, 0)
    assert breaker.status() == BreakerStatus("open", 60 + 60, 5, 2)
    breaker.succeeded(late, 62, 0)
    assert breaker.state == "open"


def test_whoever_comes_long_after_a_lost_probe_is_the_next_probe() -> None:
    breaker = opened()
    entered(breaker, 30)
    assert entered(breaker, 1000).is_probe


def test_a_slow_probe_does_not_close_it() -> None:
    breaker = opened(slow_s=2)
    breaker.succeeded(entered(breaker, 30), 33, 0, 3)
    assert breaker.state == "open"


@pytest.mark.parametrize("late_ends_well", [True, False])
def test_a_call_from_before_the_opening_counts_for_nothing(late_ends_well: bool) -> None:
    breaker = Breaker(SPEC)
    late, later = entered(breaker, 0), entered(breaker, 0)
    fail(breaker, 5)
    probe = entered(breaker, 30)
    (breaker.succeeded if late_ends_well else breaker.failed)(late, 30, 0)
    assert (breaker.state, breaker.retry_at(30)) == ("half_open", 31)
    breaker.succeeded(probe, 30, 0)
    breaker.failed(later, 30, 0)
    assert (breaker.state, breaker.failures) == ("closed", 0)


def test_other_rules_count_at_once() -> None:
    breaker = opened()
    breaker.reconfigure(replace(SPEC, window_s=20, consecutive_failures=1))
    assert breaker.state == "open"
    breaker.reconfigure(replace(SPEC, enabled=False))
    assert (breaker.state, breaker.admits(0)) == ("closed", True)
    assert repr(breaker) == "<Breaker closed, 0 failures in a row, 1 ejections>"


class BreakerMachine(RuleBasedStateMachine):
    """Calls come and end in any order, and the clock goes on; a simple model says what must be."""

    passes = Bundle("passes")

    def __init__(self) -> None:
        super().__init__()
        self.spec = BreakerSpec(min_calls=1000, consecutive_failures=3, probes=2, reset_s=10, max_reset_s=40)
        self.breaker = Breaker(self.spec)
        self.now = 0.0
        self.state = "closed"
        self.failures = 0
        self.until = 0.0
        self.era = 0
        self.probes: dict[int, float] = {}
        self.good_probes = 0

    def begin(self, state: str) -> None:
        self.state, self.failures, self.good_probes = state, 0, 0
        self.probes.clear()
        self.era += 1

    def expire(self) -> None:
        if self.probes and min(self.probes.values()) <= self.now:
            self.begin("open")

    @rule(seconds=st.floats(0, 60))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(target=passes, dice=st.floats(0, 1))
    def enter(self, dice: float) -> tuple[Pass | None, int]:
        self.expire()
        given = self.breaker.enter(self.now, dice)
        if self.state == "open" and self.breaker.state == "half_open":
            self.begin("half_open")
        may = self.state == "closed" or (
            self.state == "half_open" and len(self.probes) + self.good_probes < self.spec.probes
        )
        assert (given is not None) == may
        if given is not None:
            assert given.is_probe == (self.state == "half_open")
            if given.is_probe:
                self.probes[given.number] = self.now + self.spec.probe_s
        return given, self.era

    @rule(call=consumes(passes), how=st.sampled_from(["good", "bad", "back"]), dice=st.floats(0, 1))
    def end(self, call: tuple[Pass | None, int], how: str, dice: float) -> None:
        given, era = call
        if given is None:
            return
        act = {"good": self.breaker.succeeded, "bad": self.breaker.failed}
        counts = era == self.era
        if how == "back":
            self.breaker.gave_back(given)
        else:
            act[how](given, self.now, dice)
        if not counts:
            return
        was_probe = self.probes.pop(given.number, None) is not None
        if how == "good" and was_probe:
            self.good_probes += 1
            if self.good_probes == self.spec.probes:
                self.begin("closed")
        elif how == "good":
            self.failures = 0
        elif how == "bad":
            self.failures += 1
            if was_probe or self.failures == self.spec.consecutive_failures:
                self.begin("open")

    @invariant()
    def it_is_in_the_state_of_the_model(self) -> None:
        assert self.breaker.state == self.state
        if self.state == "closed":
            assert self.breaker.failures == self.failures

    @invariant()
    def whoever_is_refused_learns_when_to_come_back(self) -> None:
        retry_at = self.breaker.retry_at(self.now)
        assert (retry_at is None) == self.breaker.admits(self.now)
        assert retry_at is None or self.now < retry_at <= self.now + self.spec.max_reset_s


BreakerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestBreakerMachine = BreakerMachine.TestCase
