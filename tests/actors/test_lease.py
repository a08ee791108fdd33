import pytest

from actors.lease import Abandoned, Failure, Lease, Outcome, Success


def new_lease() -> tuple[Lease, list[Outcome]]:
    outcomes: list[Outcome] = []
    return Lease(7, "req_1", 1, lambda lease: outcomes.append(lease.outcome)), outcomes


@pytest.mark.parametrize("outcome", [Success(ttfb_s=0.5, duration_s=2.0, usage=9), Failure("timeout", 3.0)])
def test_a_lease_is_settled_with_the_outcome_that_was_set(outcome: Outcome) -> None:
    lease, outcomes = new_lease()
    with lease:
        lease.outcome = outcome
    assert outcomes == [outcome]


def test_a_lease_without_outcome_counts_as_abandoned() -> None:
    lease, outcomes = new_lease()
    with lease:
        pass
    assert outcomes == [Abandoned()]


def test_a_lease_is_settled_when_its_block_raises_and_the_error_goes_on() -> None:
    lease, outcomes = new_lease()
    with pytest.raises(KeyError), lease:
        raise KeyError("bug")
    assert outcomes == [Abandoned()]


def test_a_lease_is_settled_once_however_often_it_is_left() -> None:
    lease, outcomes = new_lease()
    with lease, lease:
        lease.outcome = Success()
    assert outcomes == [Success()]


def test_the_repr_shows_whether_it_is_held() -> None:
    lease, _ = new_lease()
    assert repr(lease) == "<Lease 7 of request 'req_1' held>"
    with lease:
        lease.outcome = Failure("reset")
    assert "settled as Failure(kind='reset'" in repr(lease)


def test_a_lease_tells_once_when_its_answer_began() -> None:
    told: list[float | None] = []
    lease = Lease(7, "req_1", 1, lambda _: None, lambda lease: told.append(lease.ttfb_s))
    lease.answered(0.5)
    lease.answered(0.7)
    with lease:
        pass
    late, _ = new_lease()
    with late:
        pass
    late.answered(1.0)
    assert (told, lease.ttfb_s, late.ttfb_s) == ([0.5], 0.5, None)
