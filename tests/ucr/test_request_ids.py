import re
from itertools import pairwise

from ucr.request_ids import request_ids


def test_every_id_is_another_one_in_the_known_form() -> None:
    new_id = request_ids(lambda: 1.8e9)
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert all(re.fullmatch("req_[0-9a-f]{24}", one) for one in ids)


def test_two_workers_have_different_ids() -> None:
    assert request_ids(lambda: 1.8e9)() != request_ids(lambda: 1.8e9)()


def test_later_ids_come_after_earlier_ones() -> None:
    """Those that were drawn together have no order; 256 are."""
    seconds = iter(range(1_800_000_000, 1_800_000_010))
    new_id = request_ids(lambda: next(seconds))
    ids = [new_id() for _ in range(2560)]
    groups = [ids[at : at + 256] for at in range(0, len(ids), 256)]
    assert all(max(earlier) < min(later) for earlier, later in pairwise(groups))


def test_an_id_has_its_length_whatever_the_clock_says() -> None:
    assert {len(request_ids(lambda at=at: at)()) for at in (0.0, -5.0, 2.0**32 + 7, 1e18)} == {28}  # type: ignore[misc]
