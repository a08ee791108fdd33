"""A swarm takes one seed after the other, until its time is up or a law is broken."""

from ucr.stress.plan import Plan, changed
from ucr.stress.simulation import Result
from ucr.stress.swarm import reduced, swarm
from ucr.stress.watch import Broken


def made(seed: int) -> Plan:
    return Plan(seed, 10.0, 4)


def run(plan: Plan) -> Result:
    """Fail with the third seed, as long as there are two clients."""
    fails = plan.seed == 3 and plan.clients >= 2
    broken = Broken("books", "wrong", 5.0, 7) if fails else None
    return Result(plan, broken, "0", 7, {}, {}, {}, 1, 1.0)


def test_a_swarm_ends_with_the_first_failure() -> None:
    results = list(swarm(made, 1, 60, lambda: 0.0, run))
    assert [result.plan.seed for result in results] == [1, 2, 3]


def test_a_swarm_ends_when_its_time_is_up() -> None:
    times = iter((0.0, 5.0, 11.0))
    assert len(list(swarm(made, 10, 10, lambda: next(times), run))) == 2


def test_without_time_one_seed_is_taken() -> None:
    assert len(list(swarm(made, 10, 0, lambda: 0.0, run))) == 1


def test_the_reduced_result_is_one_that_was_seen_to_fail() -> None:
    small = reduced(run(made(3)), run)
    assert small.broken is not None
    assert small.plan.clients == 2
    assert small.plan == changed(small.plan, habits=(), has_cache=False, has_limits=False)
