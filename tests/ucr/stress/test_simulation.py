"""The simulator repeats itself exactly, finds nothing wrong with the router, and finds every bug that is planted."""

from dataclasses import replace

import pytest

from tests.world.planted import PLANTED
from ucr.stress.plan import FAULTS, make_plan
from ucr.stress.simulation import Result, simulate
from ucr.stress.swarm import reduced

SEEDS = range(1, 9)
WITHIN = {
    "a lease leaked on cancel": 1200,
    "a breaker that never closes": 1200,
    "a cache key without the tenant": 2400,
    "a chunk sent after an error": 4800,
}
"""Within so many requests, of all seeds that it takes together, each planted bug is found."""

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
    requests = 0
    for seed in SEEDS:
        plan = make_plan(seed, 60, 60)
        if bug == "a cache key without the tenant" and not plan.has_cache:
            continue
        result = simulate(plan, PLANTED[bug])
        requests += result.requests
        if result.broken is not None:
            break
    assert result.broken is not None, f"{bug} was not found in {requests} requests"
    assert requests <= WITHIN[bug], f"{bug} was found after {requests} requests"


@pytest.mark.slow
def test_a_plan_that_fails_is_reduced_and_fails_again() -> None:
    plan = replace(make_plan(5, 30, 12, 1.0), has_cache=True)
    bug = PLANTED["a cache key without the tenant"]
    found = simulate(plan, bug)
    small = reduced(found, lambda tried: simulate(tried, bug))
    assert small.broken is not None
    assert small.broken.law == "tenant"
    assert (len(small.plan.spells), len(small.plan.blows)) == (0, 0)
    assert small.plan.clients < plan.clients
    assert _laws(simulate(small.plan, bug)) == _laws(small)


def _laws(result: Result) -> object:
    return result.broken, result.digest


def test_every_fault_can_be_drawn() -> None:
    drawn = {spell.fault for seed in range(40) for spell in make_plan(seed, 600, 1).spells}
    assert drawn == set(FAULTS)
