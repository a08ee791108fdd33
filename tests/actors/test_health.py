from dataclasses import replace

import pytest

from actors.admission import Admit
from actors.breaker import BreakerSpec
from actors.errors import BreakerOpen, CoolingDown
from actors.health import Health
from actors.lease import Abandoned, Failure, FailureKind, Lease, Outcome, Success
from actors.request import Origin
from actors.spec import Fact, ProviderSpec

SPEC = ProviderSpec("p", Origin("http", "up.test", 80), keys=2, breaker=BreakerSpec(consecutive_failures=2))
ADMIT = Admit("r", 100, model="m")


class Calls:
    """Makes calls, one after another, at a time that the test sets."""

    def __init__(self, health: Health) -> None:
        self.health = health
        self.now = 0.0
        self.made = 0

    def begin(self, admit: Admit = ADMIT) -> Lease:
        entry = self.health.enter(
            admit.model, self.now, 0, is_side_call=admit.is_side_call, key_group=admit.key_group
        )
        assert entry is not None
        self.made += 1
        lease = Lease(self.made, "r", 1, lambda _: None, key=entry.key)
        self.health.granted(lease, entry)
        return lease

    def end(self, lease: Lease, outcome: Outcome) -> None:
        lease.outcome = outcome
        self.health.settle(lease, self.now, 0)

    def call(self, outcome: Outcome, admit: Admit = ADMIT) -> int:
        lease = self.begin(admit)
        self.end(lease, outcome)
        return lease.key


def test_a_breaker_that_is_open_refuses_and_says_until_when() -> None:
    calls = Calls(Health(SPEC))
    for _ in range(2):
        calls.call(Failure("server"))
    refusal = calls.health.refusal(ADMIT, 1)
    assert isinstance(refusal, BreakerOpen)
    assert refusal.retry_at == calls.health.retry_at("m", 1) == 30
    assert (calls.health.is_available("m", 1), calls.health.is_available("n", 1)) == (False, True)
    assert not calls.health.admits_all(1)
    assert calls.health.enter("m", 1, 0) is None
    assert [change.model for change in calls.health.take_changes()] == ["m"]
    assert calls.health.take_changes() == []
    assert calls.health.refusal(ADMIT, 30) is None


def test_a_key_that_is_turned_away_rests_while_the_other_is_used() -> None:
    calls = Calls(Health(SPEC))
    assert calls.call(Failure("rate_limit", 7)) == 0
    assert [calls.call(Success()) for _ in range(3)] == [1, 1, 1]
    assert calls.health.take_facts() == [Fact("rate_limit", 0, 7)]
    calls.call(Failure("auth"))
    refusal = calls.health.refusal(ADMIT, 1)
    assert isinstance(refusal, CoolingDown)
    assert (refusal.retry_at, refusal.kind) == (7, "rate_limit")
    assert calls.health.retry_at("m", 1) == 7
    assert calls.health.enter("m", 1, 0) is None
    calls.now = 7
    assert calls.call(Success()) == 0
    assert calls.health.retry_at("m", 7) is None


def test_what_another_process_found_out_counts_as_ones_own_but_is_no_news() -> None:
    health = Health(SPEC)
    assert health.learn(Fact("auth", 0, 60))
    assert not health.learn(Fact("rate_limit", 0, 5))
    assert health.take_facts() == []
    entry = health.enter(ADMIT, 1, 0)
    assert entry is not None
    assert entry.key == 1


@pytest.mark.parametrize("kind", ["connect", "server", "rate_limit"])
def test_a_side_call_says_nothing_of_the_upstream(kind: FailureKind) -> None:
    calls = Calls(Health(replace(SPEC, adaptive=True)))
    for _ in range(9):
        lease = calls.begin(replace(ADMIT, is_side_call=True))
        lease.answered(1.0)
        calls.health.answered(lease, 0, 0, 1)
        calls.end(lease, Failure(kind))
    assert calls.health.admits_all(0)


def test_a_side_call_is_no_probe() -> None:
    calls = Calls(Health(SPEC))
    for _ in range(2):
        calls.call(Failure("server"))
    side = replace(ADMIT, is_side_call=True)
    assert isinstance(calls.health.refusal(side, 31), BreakerOpen)
    calls.now = 31
    calls.call(Success())
    assert calls.health.refusal(side, 31) is None


def test_the_first_byte_of_a_probe_lets_the_others_through() -> None:
    calls = Calls(Health(SPEC))
    for _ in range(2):
        calls.call(Failure("server"))
    calls.now = 30
    probe = calls.begin()
    assert isinstance(calls.health.refusal(ADMIT, 30), BreakerOpen)
    probe.answered(0.5)
    calls.health.answered(probe, 30, 0, 1)
    assert calls.health.admits_all(30)
    calls.end(probe, Abandoned())
    assert calls.health.admits_all(30)


def test_a_slow_first_byte_counts_also_when_only_the_lease_knows_it() -> None:
    slow = BreakerSpec(slow_s=1, min_calls=2)
    calls = Calls(Health(replace(SPEC, breaker=slow)))
    for _ in range(2):
        lease = calls.begin()
        lease.answered(3.0)
        calls.health.answered(lease, 0, 0, 1)
        calls.end(lease, Success())
    assert not calls.health.is_available("m", 0)


def test_the_adaptive_limit_hears_of_first_bytes_and_of_being_too_much() -> None:
    calls = Calls(Health(replace(SPEC, adaptive=True, max_requests=10)))
    limit = calls.health.limit
    assert limit is not None
    for _ in range(10):
        lease = calls.begin()
        lease.answered(1.0)
        calls.health.answered(lease, 0, 0, 2)
        calls.end(lease, Success())
    assert limit.limit == 10
    calls.call(Failure("overload"))
    assert limit.limit == 9
    calls.call(Failure("protocol"))
    assert limit.limit == 9


def test_other_rules_count_at_once() -> None:
    health = Health(SPEC)
    health.reconfigure(replace(SPEC, adaptive=True, max_requests=8))
    assert health.limit is not None
    health.reconfigure(replace(SPEC, adaptive=True, max_requests=4))
    assert health.limit.limit == 4
    health.reconfigure(SPEC)
    assert health.limit is None
    assert repr(health).startswith("<Health of 'p': <Breakers")


def test_calls_pass_freely_between_closed_breakers_and_with_one_key_that_does_not_rest() -> None:
    calls = Calls(Health(replace(SPEC, keys=1)))
    health = calls.health
    assert health.pass_freely("m") is None, "its breaker is not there yet"
    calls.call(Success())
    entry = health.pass_freely("m")
    assert entry is not None
    assert (entry.key, entry.is_probe, health.pass_freely("n")) == (0, False, None)
    assert health.learn(Fact("rate_limit", 0, 10))
    assert health.pass_freely("m") is None
    calls.now = 10
    calls.call(Failure("server"))
    assert health.pass_freely("m") is not None
    calls.call(Failure("server"))
    assert health.pass_freely("m") is None, "the breaker has opened"


def test_with_several_keys_one_has_to_be_chosen() -> None:
    calls = Calls(Health(SPEC))
    calls.call(Success())
    assert calls.health.pass_freely("m") is None


def test_a_call_that_passed_freely_counts_as_any_other() -> None:
    calls = Calls(Health(replace(SPEC, keys=1)))
    calls.call(Success())
    for number, outcome in enumerate((Failure("server"), Success(), Failure("server"), Failure("server"))):
        entry = calls.health.pass_freely("m")
        assert entry is not None
        lease = Lease(100 + number, "r", 1, lambda _: None)
        calls.health.granted(lease, entry)
        calls.end(lease, outcome)
    assert calls.health.refusal(ADMIT, 1) is not None, "two failures in a row"
