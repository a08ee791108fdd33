import trio
from trio.testing import MockClock

from actors import Pump
from ucr.lane.line import Line
from ucr.lane.watch import AFTER_S, Act, Watch
from ucr.stress.network import stream_pair


async def contained(act: Act) -> None:
    await act()


async def test_a_client_whose_answer_takes_long_is_watched(autojump_clock: MockClock) -> None:
    server, client = stream_pair()
    line, watch = Line(server, 30.0), Watch(Pump())
    line.is_answered = False
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.run, contained)
        await trio.sleep(60)
        watch.add(line)
        began = trio.current_time()
        await client.aclose()
        with line.scope:
            await trio.sleep_forever()
        nursery.cancel_scope.cancel()
    assert AFTER_S * 0.99 <= trio.current_time() - began <= AFTER_S * 2.01


async def test_a_quick_answer_starts_no_task(autojump_clock: MockClock) -> None:
    server, client = stream_pair()
    line, watch = Line(server, 30.0), Watch(Pump())
    line.is_answered = False
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.run, contained)
        for _ in range(10):
            watch.add(line)
            await trio.sleep(AFTER_S / 2)
            watch.discard(line)
        await client.send_all(b"next")
        assert await line.receive() == b"next"
        nursery.cancel_scope.cancel()


async def test_nothing_ticks_when_nobody_waits(mock_clock: MockClock) -> None:
    """The clock is jumped by hand: a parked task has no deadline that it could be jumped to."""
    watch = Watch(Pump())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.run, contained)
        for _ in range(30):
            mock_clock.jump(AFTER_S)
            await trio.testing.wait_all_tasks_blocked()
        assert trio.lowlevel.current_statistics().seconds_to_next_deadline == float("inf")
        nursery.cancel_scope.cancel()


async def test_what_is_run_beside_an_answer_is_contained(autojump_clock: MockClock) -> None:
    async def fail() -> None:
        raise ValueError

    caught: list[ValueError] = []

    async def keeping(act: Act) -> None:
        try:
            await act()
        except ValueError as error:
            caught.append(error)

    watch = Watch(Pump())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.run, keeping)
        await trio.testing.wait_all_tasks_blocked()
        watch.spawn(fail)
        await trio.testing.wait_all_tasks_blocked()
        assert len(caught) == 1
        nursery.cancel_scope.cancel()


async def test_what_is_to_run_beside_an_answer_while_all_are_cancelled_fails_nobody() -> None:
    watch, ran = Watch(Pump()), []

    async def act() -> None:
        ran.append("act")

    with trio.CancelScope() as scope:
        scope.cancel()
        await watch.run(contained)
    watch.spawn(act)
    await trio.testing.wait_all_tasks_blocked()
    assert ran == []
