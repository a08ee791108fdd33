"""Many streams read by one task: what is handed over, and what gives a stream back to its own task."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.errors import PoolError
from actors.pump import LATE_S, MOST_AT_ONCE, Flow, Pump, Take


@asynccontextmanager
async def open_pump(most_at_once: int = MOST_AT_ONCE) -> AsyncIterator[Pump]:
    pump = Pump(most_at_once)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pump.run)
        await wait_all_tasks_blocked()
        yield pump
        nursery.cancel_scope.cancel()


class Wire:
    """A connection, and what a pump has read of it; it has enough after `enough` pieces."""

    def __init__(self, enough: int = 1000) -> None:
        self.far, self.near = socket.socketpair()
        self.near.setblocking(False)
        self.enough = enough
        self.taken: list[bytes] = []
        self.times: list[float] = []
        self.error: Exception | None = None

    def take(self, data: bytes, now: float) -> bool:
        self.taken.append(data)
        self.times.append(now)
        if self.error is not None:
            raise self.error
        return bool(data) and len(self.taken) < self.enough

    def flow(self, pump: Pump) -> Flow:
        return Flow(pump, self.near.fileno(), self.take)

    async def say(self, data: bytes) -> None:
        self.far.sendall(data)
        await wait_all_tasks_blocked()

    def close(self) -> None:
        self.far.close()
        self.near.close()


@pytest.fixture
def wire() -> AsyncIterator[Wire]:  # type: ignore[misc]
    made = Wire()
    yield made
    made.close()


async def test_what_comes_is_handed_over_piece_by_piece(wire: Wire, nursery: trio.Nursery) -> None:
    async with open_pump() as pump:
        nursery.start_soon(wire.flow(pump).run)
        await wait_all_tasks_blocked()
        for piece in (b"one", b"two", b"three"):
            await wire.say(piece)
        assert (wire.taken, pump.flowing) == ([b"one", b"two", b"three"], 1)
        wire.far.close()
        await wait_all_tasks_blocked()
        assert (wire.taken[3:], pump.flowing) == ([b""], 0)


async def test_a_stream_that_has_had_enough_is_left_alone(wire: Wire) -> None:
    wire.enough = 1
    async with open_pump() as pump, trio.open_nursery() as nursery:
        nursery.start_soon(wire.flow(pump).run)
        await wait_all_tasks_blocked()
        await wire.say(b"one")
        await wire.say(b"two")
        assert (wire.taken, pump.flowing) == ([b"one"], 0)
    assert wire.near.recv(10) == b"two"


async def test_what_is_raised_is_raised_in_the_task_of_its_stream_alone(nursery: trio.Nursery) -> None:
    broken, other = Wire(), Wire()
    broken.error = KeyError("planted")
    async with open_pump() as pump:
        nursery.start_soon(other.flow(pump).run)
        await wait_all_tasks_blocked()
        broken.far.sendall(b"x")
        with pytest.raises(KeyError, match="planted"):
            await broken.flow(pump).run()
        await other.say(b"y")
        assert (other.taken, pump.flowing) == ([b"y"], 1)
        other.far.close()
        await wait_all_tasks_blocked()
    broken.close()
    other.close()


async def test_of_streams_that_are_ready_at_once_one_that_raises_leaves_the_others_read(
    nursery: trio.Nursery,
) -> None:
    wires = [Wire() for _ in range(5)]
    raised: list[str] = []

    async def run(wire: Wire) -> None:
        try:
            await wire.flow(pump).run()
        except KeyError as error:
            raised.append(error.args[0])

    async with open_pump() as pump:
        for number, wire in enumerate(wires):
            wire.error = KeyError(f"planted {number}") if number in {0, 2, 4} else None
            nursery.start_soon(run, wire)
        await wait_all_tasks_blocked()
        for wire in wires:
            wire.far.sendall(b"x")
        await wait_all_tasks_blocked()
        assert sorted(raised) == ["planted 0", "planted 2", "planted 4"]
        assert ([wire.taken for wire in wires], pump.flowing) == ([[b"x"]] * 5, 2)
        for wire in wires:
            wire.far.close()
        await wait_all_tasks_blocked()
        assert pump.flowing == 0
    for wire in wires:
        wire.close()


async def test_a_connection_that_breaks_is_an_os_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        near = socket.create_connection(door.getsockname())
        far, _ = door.accept()
    near.setblocking(False)
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    async with open_pump() as pump:
        far.close()
        with pytest.raises(ConnectionResetError):
            await Flow(pump, near.fileno(), lambda data, now: True).run()
        assert pump.flowing == 0
    near.close()


async def test_being_cancelled_loses_nothing(wire: Wire) -> None:
    async with open_pump() as pump:
        with trio.CancelScope() as scope:
            scope.cancel()
            await wire.flow(pump).run()
        assert (scope.cancelled_caught, pump.flowing) == (True, 0)
        await wire.say(b"later")
    assert (wire.taken, wire.near.recv(10)) == ([], b"later")


async def test_ended_from_outside_it_fails_once(wire: Wire) -> None:
    async with open_pump() as pump, trio.open_nursery() as nursery:
        flow = wire.flow(pump)

        async def run() -> None:
            with pytest.raises(PoolError) as caught:
                await flow.run()
            assert caught.value.kind == "timeout"

        nursery.start_soon(run)
        await wait_all_tasks_blocked()
        flow.cancel(reason="too late")
        flow.cancel()
        assert pump.flowing == 0


async def test_an_end_while_others_are_read_is_heeded(nursery: trio.Nursery) -> None:
    """Both are readable at once; whichever is read first ends the other one."""
    first, second = Wire(), Wire()
    async with open_pump() as pump:
        flows: dict[Wire, Flow] = {}

        async def run(wire: Wire, other: Wire) -> None:
            def take(data: bytes, now: float) -> bool:
                wire.take(data, now)
                flows[other].cancel()
                return False

            flows[wire] = Flow(pump, wire.near.fileno(), take)
            try:
                await flows[wire].run()
            except PoolError:
                wire.taken.append(b"ended")

        nursery.start_soon(run, first, second)
        nursery.start_soon(run, second, first)
        await wait_all_tasks_blocked()
        first.far.sendall(b"x")
        second.far.sendall(b"x")
        await wait_all_tasks_blocked()
        assert sorted((*first.taken, *second.taken)) == [b"ended", b"x"]
    first.close()
    second.close()


class Turns(trio.abc.Instrument):
    """Counts the turns of Trio's loop."""

    count = 0

    def before_io_wait(self, timeout: float) -> None:
        self.count += 1


async def test_what_comes_while_others_are_read_is_read_in_the_same_turn(mock_clock: MockClock) -> None:
    """Each piece makes the other stream readable, until the time is over for which the pump looks again."""
    first, second = wires = (Wire(), Wire())
    taken: list[bytes] = []
    at: list[int] = []
    turns = Turns()
    trio.lowlevel.add_instrument(turns)

    def take_for(other: Wire) -> Take:
        def take(data: bytes, now: float) -> bool:
            taken.append(data)
            at.append(turns.count)
            mock_clock.jump(LATE_S / 4)
            if len(taken) < 6:
                other.far.sendall(b"%d" % len(taken))
            return True

        return take

    async with open_pump() as pump, trio.open_nursery() as nursery:
        for wire, other in ((first, second), (second, first)):
            nursery.start_soon(Flow(pump, wire.near.fileno(), take_for(other)).run)
        await wait_all_tasks_blocked()
        await first.say(b"0")
        nursery.cancel_scope.cancel()
    for wire in wires:
        wire.close()
    assert taken == [b"0", b"1", b"2", b"3", b"4", b"5"]
    assert at == [at[0]] * 4 + [at[0] + 1] * 2


async def test_more_streams_than_are_read_at_once_all_have_their_turn(nursery: trio.Nursery) -> None:
    wires = [Wire() for _ in range(9)]
    async with open_pump(4) as pump:
        for wire in wires:
            nursery.start_soon(wire.flow(pump).run)
        await wait_all_tasks_blocked()
        for wire in wires:
            wire.far.sendall(b"x")
        await wait_all_tasks_blocked()
        assert [wire.taken for wire in wires] == [[b"x"]] * len(wires)
        for wire in wires:
            wire.far.close()
        await wait_all_tasks_blocked()
    for wire in wires:
        wire.close()


async def test_the_time_of_the_work_is_counted_and_told(wire: Wire, mock_clock: MockClock) -> None:
    async with open_pump() as pump, trio.open_nursery() as nursery:

        def take(data: bytes, now: float) -> bool:
            wire.take(data, now)
            mock_clock.jump(0.25)
            return True

        flow = Flow(pump, wire.near.fileno(), take)
        nursery.start_soon(flow.run)
        await wait_all_tasks_blocked()
        mock_clock.jump(5)
        await wire.say(b"x")
        await wire.say(b"y")
        assert (wire.times, flow.busy_s) == ([5.0, 5.25], 0.5)
        nursery.cancel_scope.cancel()


async def test_it_is_usable_only_while_it_runs(wire: Wire) -> None:
    async with open_pump() as pump:
        assert pump.is_usable
    assert not pump.is_usable
    assert not Pump().is_usable


async def test_who_takes_a_while_reads_what_has_come_meanwhile(wire: Wire, mock_clock: MockClock) -> None:
    async with open_pump() as pump, trio.open_nursery() as nursery:
        nursery.start_soon(wire.flow(pump).run)
        await wait_all_tasks_blocked()
        await wire.say(b"one")
        wire.far.sendall(b"two")
        mock_clock.jump(LATE_S / 2)
        pump.catch_up()
        assert wire.taken == [b"one"]  # the pump has just been there
        mock_clock.jump(LATE_S)
        pump.catch_up()
        assert wire.taken == [b"one", b"two"]
        wire.far.sendall(b"three")
        pump.catch_up()
        assert wire.taken == [b"one", b"two"]
        await wait_all_tasks_blocked()
        assert wire.taken == [b"one", b"two", b"three"]
        nursery.cancel_scope.cancel()


async def test_an_end_and_a_failure_that_are_found_in_catching_up_are_those_of_their_streams(
    mock_clock: MockClock,
) -> None:
    ended, broken, other = wires = [Wire() for _ in range(3)]
    broken.error = KeyError("planted")
    raised: list[BaseException] = []
    async with open_pump() as pump, trio.open_nursery() as nursery:

        async def run(wire: Wire) -> None:
            try:
                await wire.flow(pump).run()
            except KeyError as error:
                raised.append(error)

        for wire in wires:
            nursery.start_soon(run, wire)
        await wait_all_tasks_blocked()
        mock_clock.jump(1)
        ended.far.close()
        broken.far.sendall(b"x")
        other.far.sendall(b"y")
        pump.catch_up()
        assert (ended.taken, broken.taken, other.taken) == ([b""], [b"x"], [b"y"])
        assert raised == []
        await wait_all_tasks_blocked()
        assert (raised, pump.flowing) == ([broken.error], 1)
        nursery.cancel_scope.cancel()
    for wire in wires:
        wire.close()


async def test_nothing_is_caught_up_with_where_nothing_flows() -> None:
    Pump().catch_up()
    async with open_pump() as pump:
        pump.catch_up()
