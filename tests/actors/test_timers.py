import math

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.timers import Timers


class Bell:
    """Says when it was rung, and does what it was told to then."""

    def __init__(self, timers: Timers) -> None:
        self.timers = timers
        self.rung: list[float] = []
        self.again_s: float | None = None
        self.other: Bell | None = None

    def ring(self) -> None:
        self.rung.append(trio.current_time())
        if self.again_s is not None:
            self.timers.set(self.ring, trio.current_time() + self.again_s)
        if self.other is not None:
            self.timers.clear(self.other.ring)


async def running(nursery: trio.Nursery) -> Timers:
    made = Timers()
    nursery.start_soon(made.run)
    await wait_all_tasks_blocked()
    return made


async def test_each_rings_at_its_time(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    timers = await running(nursery)
    began_s = trio.current_time()
    bells = [Bell(timers) for _ in range(3)]
    for bell, at in zip(bells, (7, 3, 5), strict=True):
        timers.set(bell.ring, began_s + at)
    await trio.sleep(10)
    assert [bell.rung for bell in bells] == [[began_s + 7], [began_s + 3], [began_s + 5]]
    assert repr(timers) == "<Timers: 0 set>"


@pytest.mark.parametrize(("first", "second"), [(9, 4), (4, 9)])
async def test_one_that_is_moved_rings_at_the_later_said_time_only(
    autojump_clock: MockClock, nursery: trio.Nursery, first: float, second: float
) -> None:
    timers = await running(nursery)
    began_s, bell = trio.current_time(), Bell(timers)
    timers.set(bell.ring, began_s + first)
    await trio.sleep(1)
    timers.set(bell.ring, began_s + second)
    await trio.sleep(20)
    assert bell.rung == [began_s + second]


async def test_one_that_is_cleared_is_silent(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    timers = await running(nursery)
    bell = Bell(timers)
    timers.set(bell.ring, trio.current_time() + 1)
    timers.clear(bell.ring)
    timers.clear(bell.ring)
    await trio.sleep(5)
    assert bell.rung == []


async def test_a_time_that_has_passed_rings_at_once(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    timers = await running(nursery)
    bell = Bell(timers)
    timers.set(bell.ring, trio.current_time() - 1)
    await wait_all_tasks_blocked()
    assert bell.rung == [trio.current_time()]


async def test_one_may_set_itself_again(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    timers = await running(nursery)
    began_s, bell = trio.current_time(), Bell(timers)
    bell.again_s = 2
    timers.set(bell.ring, began_s + 2)
    await trio.sleep(7)
    assert bell.rung == [began_s + 2, began_s + 4, began_s + 6]


async def test_one_may_clear_another_that_is_due_as_well(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    timers = await running(nursery)
    began_s, bells = trio.current_time(), (Bell(timers), Bell(timers))
    bells[0].other, bells[1].other = bells[1], bells[0]
    for bell in bells:
        timers.set(bell.ring, began_s + 1)
    await trio.sleep(5)
    assert [bell.rung for bell in bells] == [[began_s + 1], []]


async def test_what_was_set_before_it_runs_rings_too(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    timers = Timers()
    bell, began_s = Bell(timers), trio.current_time()
    timers.set(bell.ring, began_s + 3)
    await trio.sleep(1)
    nursery.start_soon(timers.run)
    await trio.sleep(5)
    assert bell.rung == [began_s + 3]


async def test_without_anything_to_do_it_does_not_wake(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    timers = await running(nursery)
    bell = Bell(timers)
    timers.set(bell.ring, trio.current_time() + 3)
    await trio.sleep(10)
    await wait_all_tasks_blocked()
    assert trio.lowlevel.current_statistics().seconds_to_next_deadline == math.inf
