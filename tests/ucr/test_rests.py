"""Rests between the steps of long work: where they are, and who takes them."""

from contextvars import copy_context

import pytest

from ucr import jsontext
from ucr.rests import LARGE_BYTES, RESTING, rest


def rests_of(size: int) -> list[int]:
    """Return after how many bytes it was rested while a text of this size was read."""
    found: list[int] = []

    def read() -> None:
        RESTING.set(found.append)
        assert jsontext.loads(b'"%b"' % (b"x" * (size - 2))) == "x" * (size - 2)

    copy_context().run(read)
    return found


@pytest.mark.parametrize(
    ("size", "rests"),
    [(LARGE_BYTES, [LARGE_BYTES] * 2), (LARGE_BYTES + 1, [LARGE_BYTES + 1] * 2), (LARGE_BYTES - 1, [])],
)
def test_a_long_text_is_read_in_steps_with_a_rest_after_each(size: int, rests: list[int]) -> None:
    assert rests_of(size) == rests


def test_whoever_has_not_said_how_does_not_rest() -> None:
    rest(10**15)
