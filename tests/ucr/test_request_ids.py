import re

from ucr.request_ids import RequestIds


def test_every_id_is_another_one_in_the_known_form() -> None:
    new_id = RequestIds()
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert all(re.fullmatch("req_[0-9a-f]{24}", one) for one in ids)


def test_two_workers_have_different_ids() -> None:
    assert RequestIds()() != RequestIds()()
