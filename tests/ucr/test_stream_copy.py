import pytest

from ucr.budget import Budget
from ucr.stream_copy import COPIES_BYTES, STREAM_BYTES, StreamCopy


def test_a_copy_is_what_was_taken() -> None:
    budget = Budget(100)
    copy = StreamCopy(budget)
    assert copy.whole() is None
    copy.add(b"one ")
    copy.add(b"two")
    assert (copy.whole(), budget.held_bytes) == (b"one two", 7)
    assert repr(copy) == "<StreamCopy of 7 bytes>"
    copy.give_up()
    assert (copy.whole(), budget.held_bytes) == (None, 0)
    copy.add(b"more")
    assert (copy.whole(), budget.held_bytes) == (None, 0)


@pytest.mark.parametrize("others_bytes", [0, 95])
def test_a_copy_that_grows_too_large_is_given_up_with_all_it_held(others_bytes: int) -> None:
    budget = Budget(100)
    budget.held_bytes = others_bytes
    copy = StreamCopy(budget, 10)
    copy.add(b"12345")
    copy.add(b"678901")
    assert (copy.whole(), budget.held_bytes) == (None, others_bytes)


def test_all_copies_together_are_bounded() -> None:
    budget = Budget(COPIES_BYTES)
    copies = [StreamCopy(budget) for _ in range(20)]
    for copy in copies:
        copy.add(bytes(STREAM_BYTES))
    assert sum(copy.whole() is not None for copy in copies) == 16
    assert budget.held_bytes == COPIES_BYTES
