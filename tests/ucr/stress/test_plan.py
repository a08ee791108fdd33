import pytest

from ucr.stress.plan import PROVIDERS, Plan, PlanError, changed, make_plan, read


def test_a_seed_gives_one_plan_and_another_seed_another() -> None:
    assert make_plan(3, 600, 50) == make_plan(3, 600, 50)
    assert make_plan(3, 600, 50) != make_plan(4, 600, 50)


@pytest.mark.parametrize("seed", range(20))
def test_a_plan_keeps_within_its_time(seed: int) -> None:
    plan = make_plan(seed, 100, 50)
    assert all(0 <= spell.start_s <= spell.end_s <= 100 for spell in plan.spells)
    assert all(0 <= blow.at_s < 100 for blow in plan.blows)
    assert {spell.provider for spell in plan.spells} <= set(PROVIDERS)


def test_a_plan_is_read_as_it_was_said() -> None:
    plan = make_plan(5, 100, 50)
    assert read(plan.said()) == plan


@pytest.mark.parametrize("text", ["", "[]", '{"seed": 1}', '{"seed": "x", "seconds": 1, "clients": 1}'])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(PlanError):
        read(text)


def test_a_shorter_plan_leaves_out_what_lies_beyond_its_end() -> None:
    plan = make_plan(1, 600, 50)
    short = changed(plan, seconds=60.0)
    assert len(short.spells) < len(plan.spells)
    assert all(spell.end_s <= 60 for spell in short.spells)


def test_clients_pause_so_that_all_of_them_keep_the_rate() -> None:
    assert Plan(1, 60, clients=120, rate=6.0).pause_s == 20
