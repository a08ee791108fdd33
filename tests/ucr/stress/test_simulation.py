"""The simulator repeats itself exactly, finds nothing wrong with the router, and finds every bug that is planted."""

from dataclasses import replace

import pytest

from tests.world.planted import PLANTED
from ucr.stress.plan import FAULTS, make_plan
from ucr.stress.simulation import Result, simulate
from ucr.stress.swarm import reduced
from ucr.worker import Worker

SEEDS = 8
WITHIN = {
    "a lease leaked on cancel": (1, 1200),
    "a breaker that never closes": (1, 1200),
    "a cache key without the tenant": (3, 1200),
    "a chunk sent after an error": (5, 1200),
    "a permit given back twice": (2, 1200),
    "a rate that nobody keeps": (2, 1200),
}
"""From which seed on, and within how many requests of all seeds that it takes together, each planted bug is found."""

SMALL = replace(make_plan(5, 20, 12, 1.0), has_cache=True)


@pytest.mark.slow
def test_the_same_plan_gives_the_same_run() -> None:
    first, again = simulate(SMALL), simulate(SMALL)
    assert first == again
    assert first.broken is None
    assert first.requests > 100
    assert simulate(replace(SMALL, seed=6)).digest != first.digest


@pytest.mark.slow
@pytest.mark.parametrize("bug", PLANTED)
def test_each_planted_bug_is_found(bug: str) -> None:
    requests, (first, limit) = 0, WITHIN[bug]
    for seed in range(first, first + SEEDS):
        plan = make_plan(seed, 60, 60)
        if bug == "a cache key without the tenant" and not plan.has_cache:
            continue
        result = simulate(plan, PLANTED[bug])
        requests += result.requests
        if result.broken is not None:
            break
    assert result.broken is not None, f"{bug} was not found in {requests} requests"
    assert requests <= limit, f"{bug} was found after {requests} requests"


@pytest.mark.slow
def test_a_plan_that_fails_is_reduced_and_fails_again() -> None:
    plan = replace(make_plan(3, 20, 60), has_cache=True)
    bug = PLANTED["a cache key without the tenant"]
    found = simulate(plan, bug)
    small = reduced(found, lambda tried: simulate(tried, bug))
    assert small.broken is not None
    assert small.broken.law == "tenant"
    assert (len(small.plan.spells), len(small.plan.blows)) == (0, 0)
    assert small.plan.clients < plan.clients
    assert _laws(simulate(small.plan, bug)) == _laws(small)


@pytest.mark.slow
def test_a_crash_of_the_router_is_a_law_that_is_broken() -> None:
    def crash(worker: Worker) -> None:
        raise LookupError("planted")

    result = simulate(SMALL, crash)
    assert result.broken is not None
    assert result.broken.law == "crash"
    assert "LookupError: planted" in result.broken.how
    assert result.plan == SMALL


def _laws(result: Result) -> object:
    return result.broken, result.digest


@pytest.mark.parametrize("feature", ["has_cache", "has_limits", "is_narrow", "has_hedges"])
def test_every_feature_can_be_drawn(feature: str) -> None:
    assert {getattr(make_plan(seed, 60, 1), feature) for seed in range(40)} == {True, False}


def test_every_fault_can_be_drawn() -> None:
    drawn = {spell.fault for seed in range(40) for spell in make_plan(seed, 600, 1).spells}
    assert drawn == set(FAULTS)
