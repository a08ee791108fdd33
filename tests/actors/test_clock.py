import trio
from trio.testing import MockClock

from actors.clock import clock


async def test_the_time_is_that_of_the_run(autojump_clock: MockClock) -> None:
    now = clock()
    before = now()
    assert before == trio.current_time()
    await trio.sleep(7)
    assert now() == trio.current_time() == before + 7


def test_what_is_made_before_the_run_tells_its_time_too() -> None:
    now = clock()

    async def both() -> tuple[float, float]:
        return now(), trio.current_time()

    told, real = trio.run(both, clock=MockClock())
    assert told == real
