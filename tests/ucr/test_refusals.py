import pytest

from ucr.errors import ApiError
from ucr.refusals import ADDRESSES_LIMIT, REFUSALS_LIMIT, WINDOW_S, Refusals

WRONG = ApiError("authentication_error", "the server key is wrong", should_retry=False)


def test_one_above_the_limit_is_told_to_wait_until_the_first_is_forgotten() -> None:
    refusals = Refusals()
    for second in range(REFUSALS_LIMIT):
        assert refusals.note("10.0.0.1", float(second), WRONG) is WRONG
    told = refusals.note("10.0.0.1", 40.5, WRONG)
    assert (told.status, told.type, told.retry_after_s) == (429, "rate_limit_error", 20)
    assert "the server key is wrong" in told.message
    assert refusals.note("10.0.0.1", WINDOW_S, WRONG) is WRONG
    assert refusals.note("10.0.0.1", WINDOW_S, WRONG).status == 429


def test_an_address_answers_for_itself_alone() -> None:
    refusals = Refusals()
    for _ in range(REFUSALS_LIMIT + 1):
        refusals.note("10.0.0.1", 0.0, WRONG)
    assert refusals.note("10.0.0.2", 0.0, WRONG) is WRONG


def test_what_is_remembered_is_bounded() -> None:
    refusals = Refusals()
    for number in range(ADDRESSES_LIMIT + 50):
        refusals.note(str(number), 0.0, WRONG)
    assert repr(refusals) == f"<Refusals of {ADDRESSES_LIMIT} addresses>"


@pytest.mark.parametrize("pause_s", [WINDOW_S / REFUSALS_LIMIT + 0.1, WINDOW_S])
def test_a_slow_client_is_told_each_time_what_is_wrong(pause_s: float) -> None:
    refusals = Refusals()
    assert all(refusals.note("a", number * pause_s, WRONG) is WRONG for number in range(200))
