"""Work in a thread: what it returns and raises, and how much of it at one time."""

import threading
import time

import pytest
import trio

from ucr.large import REST_S_A_BYTE, beside
from ucr.rests import LARGE_BYTES, RESTING, rest


async def test_the_work_is_done_in_another_thread() -> None:
    assert await beside(trio.CapacityLimiter(1), threading.get_ident) != threading.get_ident()


async def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        await beside(trio.CapacityLimiter(1), lambda: 1 // 0)


async def test_work_waits_for_the_limiter() -> None:
    limiter = trio.CapacityLimiter(1)
    done: list[int] = []

    async def work() -> None:
        await beside(limiter, lambda: done.append(1))

    async with trio.open_nursery() as nursery, limiter:
        nursery.start_soon(work)
        await trio.testing.wait_all_tasks_blocked()
        assert (done, limiter.statistics().tasks_waiting) == ([], 1)
    assert done == [1]


async def test_a_thread_rests_after_a_step_with_many_bytes_and_nobody_else_does() -> None:
    def timed() -> float:
        began_s = time.monotonic()
        rest(10 * LARGE_BYTES)
        return time.monotonic() - began_s

    before = RESTING.get()
    assert await beside(trio.CapacityLimiter(1), timed) >= 10 * LARGE_BYTES * REST_S_A_BYTE
    assert RESTING.get() is before
