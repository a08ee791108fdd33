import random
import tracemalloc

import pytest

from ucr.errors import ApiError
from ucr.lane.intake import LONG_BYTES, Intake


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


@pytest.mark.parametrize("size", [LONG_BYTES - 1, LONG_BYTES, LONG_BYTES + 1, 3 * LONG_BYTES + 7])
def test_a_long_body_is_the_same(size: int) -> None:
    body = random.Random(1).randbytes(size)
    intake = fed(size, *(body[at : at + 65_536] for at in range(0, size, 65_536)))
    assert (intake.is_complete, intake.size) == (True, size)
    assert intake.take() == body
    assert intake.take() == b""


def test_a_long_body_is_never_there_twice() -> None:
    part_bytes, count = 65_536, 16 * LONG_BYTES // 65_536
    tracemalloc.start()
    try:
        intake = Intake(count * part_bytes)
        for _ in range(count):
            intake.feed(bytes(part_bytes))
        body = intake.take()
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(body) < peak_bytes < 1.5 * len(body)
