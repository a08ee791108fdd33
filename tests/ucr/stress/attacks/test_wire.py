import pytest

from ucr.stress.attacks.wire import FRAMINGS, HIDDEN, UPGRADES, answers_in

ONE = b"HTTP/1.1 400 Bad\r\ncontent-length: 2\r\n\r\nno"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"


def test_answers_are_told_apart_by_their_lengths_and_chunks() -> None:
    assert [(answer.status, answer.body) for answer in answers_in(ONE + CHUNKED)] == [
        (400, b"no"),
        (200, b"abc"),
    ]


def test_what_is_no_answer_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"."):
        answers_in(b"what is this\r\n\r\n")


def test_framings_hide_a_request_and_upgrades_do_not_count_as_well_framed() -> None:
    assert sum(HIDDEN in attack.data for attack in FRAMINGS.values()) > 20
    assert all(attack.statuses for attack in (*FRAMINGS.values(), *UPGRADES.values()))
