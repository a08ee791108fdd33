import pytest

from ucr.errors import ApiError
from ucr.lane.intake import Intake


def fed(length: int | None, *pieces: bytes) -> Intake:
    intake = Intake(length)
    for piece in pieces:
        intake.feed(piece)
    return intake


@pytest.mark.parametrize(
    ("length", "pieces"),
    [
        (3, (b"abcGET",)),
        (3, (b"a", b"bc", b"GET")),
        (3, (b"ab", b"cG", b"ET")),
        (None, (b"3\r\nabc\r\n0\r\n\r\nGET",)),
        (None, (b"3\r\na", b"bc\r\n0\r\n\r\nG", b"ET")),
    ],
)
def test_a_body_is_taken_and_what_follows_is_kept(length: int | None, pieces: tuple[bytes, ...]) -> None:
    intake = fed(length, *pieces)
    assert intake.is_complete
    assert (intake.size, intake.take(), intake.rest) == (3, b"abc", b"GET")


def test_no_body_is_complete_at_once() -> None:
    intake = fed(0, b"GET")
    assert (intake.is_complete, intake.take(), intake.rest) == (True, b"", b"GET")


def test_a_body_that_is_still_coming_is_not_complete() -> None:
    assert not fed(3, b"ab").is_complete
    assert not fed(None, b"3\r\nabc\r\n").is_complete


def test_broken_chunks_are_the_requests_fault() -> None:
    with pytest.raises(ApiError) as caught:
        fed(None, b"x\r\n")
    assert caught.value.status == 400
