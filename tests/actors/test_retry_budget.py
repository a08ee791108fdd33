from contextlib import ExitStack

from hypothesis import given
from hypothesis import strategies as st

from actors.retry_budget import RetryBudget


def test_quiet_times_may_retry_a_little() -> None:
    budget = RetryBudget(lambda: 0)
    with ExitStack() as stack:
        for _ in range(3):
            retry = budget.try_spend(0)
            assert retry is not None
            stack.enter_context(retry)
        assert budget.try_spend(0) is None
    assert (budget.active, budget.spent, budget.refused) == (0, 3, 1)
    assert repr(budget) == "<RetryBudget 0 active, 3 spent, 1 refused>"


def test_a_fifth_of_what_runs_may_be_retries() -> None:
    budget = RetryBudget(lambda: 50)
    for _ in range(1000):
        budget.called(0)
    assert [budget.try_spend(0) is not None for _ in range(11)] == [True] * 10 + [False]


def test_a_fifth_of_the_calls_of_the_last_seconds_may_be_retries() -> None:
    budget = RetryBudget(lambda: 1000)
    for _ in range(100):
        budget.called(0)
    granted = 0
    while (retry := budget.try_spend(1)) is not None:
        with retry:
            budget.called(1)
        granted += 1
    assert granted == 20
    assert [budget.try_spend(11) is not None for _ in range(4)] == [True, True, True, False]


@given(st.lists(st.tuples(st.floats(0, 2), st.booleans()), max_size=200))
def test_retries_stay_a_fifth_of_the_first_calls_above_the_floor(steps: list[tuple[float, bool]]) -> None:
    budget, now = RetryBudget(lambda: 10**6), 0.0
    history: list[tuple[float, bool]] = []
    for wait, fails in steps:
        now += wait
        budget.called(now)
        history.append((now, False))
        if fails and (retry := budget.try_spend(now)) is not None:
            with retry:
                budget.called(now)
            history.append((now, True))
        recent = [is_retry for at, is_retry in history if at > now - 9]
        retries = sum(recent)
        firsts = sum(1 for at, is_retry in history if at > now - 20 and not is_retry)
        assert retries <= max(3, 0.2 * firsts + 1)
