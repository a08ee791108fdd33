from hypothesis import given
from hypothesis import strategies as st

from actors.lending import Account, Holding, Settlement, Want, chunk

RATE = Want("k", "rate", 100)


def test_a_chunk_is_the_need_and_a_part_of_what_is_free() -> None:
    assert chunk(1, 50, 100, 1) == 1 + 24
    assert chunk(1, 50, 100, 4) == 1 + 6
    assert chunk(1, 50, 10, 4) == 1
    assert chunk(3, 0, 100, 4) == 3
    assert chunk(3, 50, 2, 4) == 0
    assert chunk(1, 0, -5, 1) == 0


def test_what_is_lent_is_not_free_and_what_was_spent_is_free_after_a_minute() -> None:
    account = Account("rate", 10)
    account.lend("a", 6)
    assert account.free(0.0) == 4
    account.settle("a", Settlement("k", spent=4, returned=2), 0.5)
    assert account.free(1.0) == 6
    assert account.free(61.5) == 10


def test_permits_are_free_as_soon_as_they_come_back() -> None:
    account = Account("permits", 2)
    account.lend("a", 2)
    assert account.amount(Want("k", "permits", 2), 2, 0.0) == 0
    account.settle("a", Settlement("k", returned=1), 0.0)
    assert account.free(0.0) == 1


def test_a_need_above_the_limit_counts_as_the_whole_limit() -> None:
    account = Account("rate", 10)
    assert account.amount(Want("k", "rate", 10, need=99), 1, 0.0) == 10
    account.lend("a", 1)
    assert account.amount(Want("k", "rate", 10, need=99), 1, 0.0) == 0


def test_permits_of_one_that_is_gone_come_back_and_its_rate_counts_as_spent() -> None:
    permits, rate = Account("permits", 5), Account("rate", 5)
    for account in (permits, rate):
        account.lend("a", 3)
        account.leave("a", 0.0)
        account.leave("a", 0.0)
    assert (permits.free(0.0), rate.free(0.0), rate.free(61.0)) == (5, 2, 5)


def test_a_declaration_replaces_what_was_known() -> None:
    account = Account("rate", 10)
    account.lend("a", 4)
    account.declare("a", Holding("k", "rate", 10, 1, ((59, 2), (0, 3))), 100.0)
    assert account.free(100.0) == 4
    account.forget("a")
    assert account.free(100.0) == 10


def test_late_charges_make_less_than_nothing_free_until_they_leave() -> None:
    account = Account("rate", 10)
    account.settle("a", Settlement("k", charged=15), 0.0)
    assert account.free(0.0) == -5
    assert account.retry_after_s(1, 0.0) == 61.0
    assert account.free(61.0) == 10


def test_it_says_when_enough_will_have_left() -> None:
    account = Account("rate", 10)
    account.settle("a", Settlement("k", spent=4), 0.0)
    account.settle("b", Settlement("k", spent=6), 10.0)
    assert account.retry_after_s(4, 20.0) == 41.0
    assert account.retry_after_s(5, 20.0) == 51.0


def test_refunds_are_free_again() -> None:
    account = Account("rate", 10)
    account.settle("a", Settlement("k", spent=10), 0.0)
    account.settle("a", Settlement("k", refunds=((5.0, 4),)), 5.0)
    assert account.free(5.0) == 4


STEPS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 6), st.integers(0, 9), st.integers(0, 3), st.floats(0, 9)),
    max_size=80,
)


@given(STEPS)
def test_never_is_more_lent_or_spent_in_a_minute_than_the_limit(
    steps: list[tuple[str, int, int, int, float]],
) -> None:
    account, now, held = Account("rate", 20), 0.0, dict.fromkeys("abc", 0)
    for borrower, need, extra, spends, pause in steps:
        now += pause
        amount = account.amount(Want("k", "rate", 20, need, extra), 3, now)
        account.lend(borrower, amount)
        held[borrower] += amount
        assert account.free(now) >= 0
        spent = min(spends, held[borrower])
        account.settle(borrower, Settlement("k", spent=spent, returned=held[borrower] - spent), now)
        held[borrower] = 0
    assert account.held == 0
    assert account.is_idle(now + 62)
