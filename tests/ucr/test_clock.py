import time

import trio

from ucr.clock import LeanClock


def test_trio_runs_by_it() -> None:
    async def read() -> tuple[float, float, float]:
        before = time.perf_counter()
        with trio.move_on_after(0.001) as patience:
            await trio.sleep_forever()
        assert patience.cancelled_caught
        return before, trio.current_time(), time.perf_counter()

    before, now, after = trio.run(read, clock=LeanClock())
    assert before + 0.001 <= now <= after


def test_a_reading_is_one_call_of_c() -> None:
    assert LeanClock().current_time is time.perf_counter
    assert LeanClock().deadline_to_sleep_time(time.perf_counter() + 5) <= 5
