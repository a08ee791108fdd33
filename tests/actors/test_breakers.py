import pytest

from actors.breaker import BreakerSpec
from actors.breakers import MODELS, Breakers, Passes
from actors.lease import Abandoned, Failure, FailureKind, Outcome, Success

SPEC = BreakerSpec(consecutive_failures=2)


def entered(breakers: Breakers, model: str, now: float = 0) -> Passes:
    passes = breakers.enter(model, now, 0)
    assert passes is not None
    return passes


def call(breakers: Breakers, outcome: Outcome, model: str = "m", times: int = 2, now: float = 0) -> None:
    for _ in range(times):
        breakers.settle(entered(breakers, model, now), outcome, now, 0)


def states(breakers: Breakers) -> dict[str | None, str]:
    models = {model: status.state for model, status in breakers.status().items()}
    return {None: breakers.own_status().state, **models}


def test_connections_that_fail_concern_every_model() -> None:
    breakers = Breakers(SPEC)
    call(breakers, Failure("connect"))
    assert states(breakers) == {None: "open", "m": "closed"}
    assert not breakers.admits("other", 0)
    assert breakers.enter("other", 0, 0) is None
    assert breakers.retry_at("other", 0) == 30
    assert not breakers.is_closed("other")
    assert not breakers.all_closed()


@pytest.mark.parametrize("kind", ["timeout", "reset", "gateway", "server", "overload", "protocol", "midstream"])
def test_other_failures_concern_their_model_only(kind: FailureKind) -> None:
    breakers = Breakers(SPEC)
    call(breakers, Failure(kind))
    assert states(breakers) == {None: "closed", "m": "open"}
    assert breakers.admits("other", 0)
    assert breakers.retry_at("m", 0) == 30


@pytest.mark.parametrize(
    "outcome", [Failure("rate_limit"), Failure("quota"), Failure("auth"), Abandoned(), Success()]
)
def test_keys_and_leaving_clients_are_no_failures(outcome: Outcome) -> None:
    breakers = Breakers(SPEC)
    call(breakers, Failure("server"), times=1)
    call(breakers, outcome, times=9)
    assert breakers.all_closed()


def test_a_probe_passes_both_breakers_or_none() -> None:
    breakers = Breakers(SPEC)
    call(breakers, Failure("server"), "m", now=0)
    call(breakers, Failure("connect"), "n", now=10)
    assert breakers.enter("m", 30, 0) is None
    assert breakers.retry_at("m", 30) == 40
    probe = entered(breakers, "m", 40)
    assert probe.own.is_probe
    assert probe.of_model.is_probe
    breakers.settle(probe, Failure("server"), 41, 0)
    assert states(breakers) == {None: "closed", "m": "open", "n": "closed"}


def test_a_probe_that_the_other_breaker_refuses_is_given_back() -> None:
    breakers = Breakers(SPEC)
    call(breakers, Failure("connect"), "n", now=0)
    breakers.settle(entered(breakers, "n", 30), Abandoned(), 30, 0)
    first = entered(breakers, "n", 30)
    breakers.give_back(first)
    assert breakers.admits("n", 30)
    breakers.give_back(None)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Abandoned(), "half_open"),
        (Failure("rate_limit"), "half_open"),
        (Failure("connect"), "half_open"),
        (Success(), "closed"),
        (Failure("timeout"), "open"),
    ],
)
def test_a_probe_of_a_model_that_says_nothing_of_it_is_given_back(outcome: Outcome, state: str) -> None:
    breakers = Breakers(SPEC)
    call(breakers, Failure("server"))
    breakers.settle(entered(breakers, "m", 30), outcome, 30, 0)
    assert states(breakers)["m"] == state


def test_the_first_byte_decides_a_probe_and_the_rest_of_the_call_still_counts() -> None:
    breakers = Breakers(SPEC)
    call(breakers, Failure("server"))
    passes = breakers.answered(entered(breakers, "m", 30), 31, 0, 1.0)
    assert (breakers.all_closed(), passes.is_probe) == (True, False)
    breakers.settle(passes, Failure("midstream"), 40, 0)
    assert breakers.status()["m"].failures == 1
    assert breakers.answered(passes, 41, 0, 1.0) is passes


def test_of_several_probes_the_rest_of_the_first_counts_for_nothing() -> None:
    breakers = Breakers(BreakerSpec(consecutive_failures=2, probes=2))
    call(breakers, Failure("server"))
    passes = breakers.answered(entered(breakers, "m", 30), 31, 0, 1.0)
    breakers.settle(passes, Failure("midstream"), 32, 0)
    assert states(breakers)["m"] == "half_open"
    breakers.answered(entered(breakers, "m", 33), 33, 0, 1.0)
    assert breakers.all_closed()


def test_a_probe_that_is_late_opens_its_breaker_again() -> None:
    breakers = Breakers(SPEC)
    call(breakers, Failure("server"))
    entered(breakers, "m", 30)
    breakers.expire("m", 59, 0)
    breakers.expire("other", 61, 0)
    assert states(breakers)["m"] == "half_open"
    breakers.expire("m", 61, 0)
    assert states(breakers)["m"] == "open"


def test_every_change_of_state_is_told() -> None:
    breakers = Breakers(SPEC)
    call(breakers, Failure("server"))
    call(breakers, Success(), times=1, now=30)
    told = [(change.model, change.status.state) for change in breakers.changes]
    assert told == [("m", "open"), ("m", "half_open"), ("m", "closed")]


def test_turning_breakers_off_closes_them() -> None:
    breakers = Breakers(SPEC)
    call(breakers, Failure("server"))
    breakers.reconfigure(BreakerSpec(enabled=False))
    assert breakers.all_closed()
    assert breakers.changes[-1].status.state == "closed"
    assert repr(breakers) == "<Breakers: <Breaker closed, 0 failures in a row, 0 ejections>, 1 models>"


def test_models_are_bounded_and_an_open_breaker_is_kept_while_a_closed_one_can_go() -> None:
    breakers = Breakers(SPEC)
    call(breakers, Failure("server"), "bad")
    for number in range(2 * MODELS):
        call(breakers, Success(), f"m{number}", times=1)
    assert len(breakers.status()) == MODELS
    assert states(breakers)["bad"] == "open"
    late = entered(breakers, "m0")
    for number in range(2 * MODELS):
        call(breakers, Failure("server"), f"n{number}")
    assert len(breakers.status()) == MODELS
    breakers.settle(late, Failure("server"), 0, 0)
    breakers.give_back(late)
    assert "m0" not in states(breakers)


def test_while_all_is_well_every_call_of_a_model_gets_the_same_passes() -> None:
    breakers = Breakers(SPEC)
    first = entered(breakers, "m")
    assert entered(breakers, "m") is first
    breakers.settle(first, Failure("server"), 0, 0)
    assert breakers.status()["m"].failures == 1
    breakers.settle(first, Success(), 0, 0)
    assert breakers.status()["m"].failures == 0
    call(breakers, Failure("connect"), "n")
    assert breakers.enter("m", 0, 0) is None
    breakers.settle(first, Success(), 0, 0)
    assert breakers.own_status().state == "open"
    probe = entered(breakers, "m", 30)
    assert probe.is_probe
    breakers.settle(probe, Success(), 30, 0)
    assert entered(breakers, "m", 30) not in (first, probe)


def test_a_good_call_that_is_slow_can_open_a_breaker_that_was_closed() -> None:
    breakers = Breakers(BreakerSpec(min_calls=2, slow_s=1))
    for _ in range(2):
        assert states(breakers)[None] == "closed"
        breakers.settle(entered(breakers, "m"), Success(2), 0, 0)
    assert states(breakers) == {None: "closed", "m": "open"}
    assert [change.model for change in breakers.changes] == ["m"]
    assert breakers.enter("m", 0, 0) is None


def test_a_model_that_was_forgotten_begins_anew() -> None:
    breakers = Breakers(SPEC)
    first = entered(breakers, "m")
    for number in range(MODELS):
        entered(breakers, f"other {number}")
    assert "m" not in states(breakers)
    breakers.settle(first, Success(), 0, 0)
    assert entered(breakers, "m") is not first
