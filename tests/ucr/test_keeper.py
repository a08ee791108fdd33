import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from ucr.keeper import Keeper


class Kept:
    """A delivery that is due at a time of its own, and says when it was asked."""

    def __init__(self, due_s: float) -> None:
        self.due_s = due_s
        self.nudged: list[float] = []

    def nudge(self) -> float:
        now_s = trio.current_time()
        if self.due_s <= now_s:
            self.nudged.append(now_s)
            self.due_s = now_s + 15
        return self.due_s


async def test_each_is_nudged_when_it_is_due(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    keeper, now_s = Keeper(), trio.current_time()
    first, second = Kept(now_s + 20), Kept(now_s + 27)
    nursery.start_soon(keeper.run)
    keeper.add(first)  # type: ignore[arg-type]
    await trio.sleep(3)
    keeper.add(second)  # type: ignore[arg-type]
    await trio.sleep(40)
    assert [at - now_s for at in first.nudged] == [20, 35]
    assert [at - now_s for at in second.nudged] == [27, 42]
    keeper.discard(first)  # type: ignore[arg-type]
    await trio.sleep(20)
    assert len(first.nudged) == 2
    assert len(second.nudged) == 3
    assert repr(keeper) == "<Keeper of 1 streams>"


@pytest.mark.parametrize("quiet_s", [1, 14, 16, 100, 1000])
async def test_one_that_comes_after_a_pause_is_nudged_in_time(
    autojump_clock: MockClock, nursery: trio.Nursery, quiet_s: float
) -> None:
    keeper = Keeper()
    nursery.start_soon(keeper.run)
    await trio.sleep(quiet_s)
    kept = Kept(trio.current_time() + 20)
    expected_s = kept.due_s
    keeper.add(kept)  # type: ignore[arg-type]
    await trio.sleep(30)
    assert kept.nudged == [expected_s]


async def test_without_streams_it_does_nothing(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    keeper = Keeper()
    nursery.start_soon(keeper.run)
    await trio.sleep(100)
    await wait_all_tasks_blocked()
    assert trio.lowlevel.current_statistics().seconds_to_next_deadline == float("inf")
