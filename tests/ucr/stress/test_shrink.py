"""A plan that fails is made smaller, and what does not matter goes."""

from ucr.stress.plan import Plan, make_plan
from ucr.stress.shrink import shrink


def test_all_goes_that_the_failure_does_not_need() -> None:
    plan = make_plan(4, 600, 64)
    needed = plan.spells[3]
    tries: list[Plan] = []

    def fails(tried: Plan) -> bool:
        tries.append(tried)
        return any((one.provider, one.fault) == (needed.provider, needed.fault) for one in tried.spells)

    small = shrink(plan, failed_at_s=500, fails=fails, tries=200)
    assert len(small.spells) == 1
    assert (small.spells[0].provider, small.spells[0].fault) == (needed.provider, needed.fault)
    assert (small.blows, small.habits, small.clients) == ((), (), 1)
    assert small.rate == plan.rate / 64
    assert not (small.has_cache or small.has_limits or small.is_narrow)
    assert len(tries) <= 200


def test_a_plan_that_never_fails_again_stays_as_it_was() -> None:
    plan = make_plan(4, 60, 8)
    assert shrink(plan, failed_at_s=30, fails=lambda _: False) == plan


def test_no_more_is_tried_than_is_allowed() -> None:
    tries: list[Plan] = []

    def fails(tried: Plan) -> bool:
        tries.append(tried)
        return True

    shrink(make_plan(4, 600, 64), failed_at_s=500, fails=fails, tries=5)
    assert len(tries) == 5
