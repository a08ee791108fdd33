"""Virtual time never overtakes a thread."""

import threading

import trio
from trio.abc import Instrument
from trio.testing import active_thread_count

from ucr.stress.clock import run_jumping


class _Idle(Instrument):
    """Lets the thread end when the loop has nothing more to do, and notes for how long the loop would wait for it."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.waits_s: list[float] = []

    def before_io_wait(self, timeout: float) -> None:
        if active_thread_count():
            self.waits_s.append(timeout)
            self.may_end.set()


def test_time_stands_while_a_thread_works_and_jumps_afterwards() -> None:
    idle = _Idle()

    async def act() -> tuple[float, float]:
        started_s = trio.current_time()
        with trio.fail_after(1):
            await trio.to_thread.run_sync(idle.may_end.wait)
        worked_s = trio.current_time() - started_s
        await trio.sleep(60)
        return worked_s, trio.current_time() - started_s

    assert run_jumping(act, [idle]) == (0.0, 60.0)
    assert idle.waits_s[0] > 0
