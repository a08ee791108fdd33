"""One plan after the other, each of another seed, until the time is up or a law is broken."""

from collections.abc import Callable, Iterator

from ucr.stress.plan import Plan
from ucr.stress.shrink import shrink
from ucr.stress.simulation import Result, simulate

Clock = Callable[[], float]


def swarm(
    make: Callable[[int], Plan],
    seed: int,
    for_s: float,
    clock: Clock,
    run: Callable[[Plan], Result] = simulate,
) -> Iterator[Result]:
    """Run at least the plan of this seed, and those of the next ones for so many seconds; the first that fails ends it."""
    until = clock() + for_s
    while True:
        result = run(make(seed))
        yield result
        if result.broken is not None or clock() >= until:
            return
        seed += 1


def reduced(result: Result, run: Callable[[Plan], Result] = simulate) -> Result:
    """Return how the smallest plan failed that breaks the same law, found in a limited number of tries."""
    broken = result.broken
    assert broken is not None, "only what fails is made smaller"
    best = result

    def fails(plan: Plan) -> bool:
        nonlocal best
        found = run(plan)
        is_same = found.broken is not None and found.broken.law == broken.law
        best = found if is_same else best
        return is_same

    shrink(result.plan, broken.at_s, fails)
    return best
