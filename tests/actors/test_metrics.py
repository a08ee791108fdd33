from typing import Any

import pytest
import trio
from trio.testing import MockClock

from actors.errors import ActorCrashed
from actors.metrics import Bundle, Measured, Metrics, Snapshot
from actors.supervisor import open_supervisor
from actors.totals import Tally

ONE = Measured(Tally((("calls", ()),), (("wait_s", ()),)), (1,), ((0.5,),))
UNKNOWN: Any = object()
"""No message of this actor: receiving it is a bug, at which the actor raises."""


async def test_a_snapshot_holds_whatever_was_offered_before_it(autojump_clock: MockClock) -> None:
    async with open_supervisor() as supervisor:
        metrics = await supervisor.start(Metrics())
        assert all(metrics.ref.offer(ONE) for _ in range(3))
        snapshot = await metrics.ref.ask(Snapshot())
    assert snapshot.total("calls") == 3
    assert snapshot.histograms[0].count == 3


async def test_a_crash_loses_no_total_and_nothing_that_is_queued(autojump_clock: MockClock) -> None:
    async with open_supervisor() as supervisor:
        metrics = await supervisor.start(Metrics())
        metrics.ref.offer(ONE)
        metrics.ref.tell(UNKNOWN)
        metrics.ref.offer(ONE)
        snapshot = await metrics.ref.ask(Snapshot())
        assert snapshot.total("calls") == 2
        with pytest.raises(ActorCrashed):
            await metrics.ref.ask(UNKNOWN)
        assert (await metrics.ref.ask(Snapshot())).total("calls") == 2
        assert supervisor.statistics()[0].restarts == 2


async def test_what_finds_no_room_is_dropped_and_counted() -> None:
    metrics = Metrics(max_queued=2)
    assert [metrics.ref.offer(ONE) for _ in range(3)] == [True, True, False]
    assert metrics.mailbox.statistics().dropped == 1
    with trio.move_on_after(0):
        await metrics.run()
    assert metrics.totals.snapshot().total("calls") == 2


async def test_what_was_offered_is_counted_before_the_end(autojump_clock: MockClock) -> None:
    async with open_supervisor() as supervisor:
        metrics = await supervisor.start(Metrics())
        for _ in range(3):
            metrics.ref.offer(ONE)
        metrics.ref.tell(UNKNOWN)
        metrics.ref.offer(ONE)
    assert metrics.totals.snapshot().total("calls") == 4
    assert metrics.crashes == 1


async def test_an_actor_that_keeps_crashing_holds_up_the_end_for_a_second_at_most(
    autojump_clock: MockClock,
) -> None:
    async with open_supervisor() as supervisor:
        metrics = await supervisor.start(Metrics())
        for _ in range(5):
            metrics.ref.tell(UNKNOWN)
        began = trio.current_time()
    assert trio.current_time() - began <= 1.0


async def test_a_bundle_brings_events_of_several_kinds_and_any_number_of_each(
    autojump_clock: MockClock,
) -> None:
    async with open_supervisor() as supervisor:
        metrics = await supervisor.start(Metrics())
        many = Measured(ONE.tally, (3,), ([0.5, 7.0, 9.0],))
        metrics.ref.offer(Bundle((many, Measured(Tally((("errors", ()),)), (2,)))))
        snapshot = await metrics.ref.ask(Snapshot())
    assert (snapshot.total("calls"), snapshot.total("errors")) == (3, 2)
    (waits,) = snapshot.histograms
    assert (waits.count, waits.sum) == (3, 16.5)


async def test_a_bundle_at_which_the_actor_crashes_is_the_only_one_that_is_lost(
    autojump_clock: MockClock,
) -> None:
    async with open_supervisor() as supervisor:
        metrics = await supervisor.start(Metrics())
        metrics.ref.offer(Bundle((Measured(ONE.tally, (1, 1, 1)),)))
        metrics.ref.offer(Bundle((ONE,)))
        assert (await metrics.ref.ask(Snapshot())).histograms[0].count == 1
        assert metrics.crashes == 1
