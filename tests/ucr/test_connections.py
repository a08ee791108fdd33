"""How many connections there may be, and that a fault of one ends none of the others."""

import errno
from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from ucr.access import is_loopback
from ucr.connections import Connections, Limits, NoRoom, is_lost_connection
from ucr.stress.network import LoopbackSocket, MemoryListener, MemoryNetwork, MemoryStream, stream_pair

ADDRESS = ("router.test", 80)


class FarSocket(LoopbackSocket):
    def getpeername(self) -> tuple[str, int]:
        return ("192.0.2.7", 5000)


class Served:
    """A server whose connections wait until they are told what to do."""

    def __init__(self, limits: Limits, is_shared: Callable[[str], bool] = is_loopback) -> None:
        self.network = MemoryNetwork()
        self.reports: list[BaseException] = []
        self.errors: list[BaseException] = []
        self.connections = Connections(self._serve, limits, self.reports.append, is_shared)
        self._listener = self.network.listener(*ADDRESS)

    async def _serve(self, stream: Any) -> None:
        await stream.receive_some()
        if self.errors:
            raise self.errors.pop()

    async def run(self) -> None:
        await self.connections.accept([self._listener])

    async def connect(self) -> MemoryStream:
        stream = await self.network.connect(*ADDRESS)
        await trio.testing.wait_all_tasks_blocked()
        return stream


async def is_refused(stream: MemoryStream) -> bool:
    await stream.send_all(b"GET / HTTP/1.1\r\n\r\n")
    return (await stream.receive_some()).startswith(b"HTTP/1.1 529 ")


async def test_one_connection_too_many_is_told_so_until_another_ends(autojump_clock: MockClock) -> None:
    served = Served(Limits(most=2))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(served.run)
        first, _second = [await served.connect() for _ in range(2)]
        assert repr(served.connections) == "<Connections: 2 open>"
        assert await is_refused(await served.connect())
        await first.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert not await is_refused(await served.connect())
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(("socket", "refused"), [(LoopbackSocket(), False), (FarSocket(), True)])
async def test_one_address_may_not_take_all_connections_but_loopback_is_many(
    socket: LoopbackSocket, refused: bool, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryStream, "socket", socket)
    served = Served(Limits(most_per_address=2))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(served.run)
        _open = [await served.connect() for _ in range(2)]
        assert await is_refused(await served.connect()) is refused
        nursery.cancel_scope.cancel()


async def test_an_address_that_many_share_may_have_as_many_as_there_are(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryStream, "socket", FarSocket())
    served = Served(Limits(most=3, most_per_address=1), is_shared=lambda address: address == "192.0.2.7")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(served.run)
        _open = [await served.connect() for _ in range(2)]
        assert not await is_refused(await served.connect())
        nursery.cancel_scope.cancel()


async def test_a_flood_of_refused_connections_holds_no_more_than_so_many(autojump_clock: MockClock) -> None:
    served = Served(Limits(most=0))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(served.run)
        streams = [await served.connect() for _ in range(70)]
        assert [await stream.receive_some() for stream in streams[64:]] == [b""] * 6
        assert await is_refused(streams[0])
        began = trio.current_time()
        assert await streams[1].receive_some() == b""
        assert trio.current_time() - began <= 0.5
        nursery.cancel_scope.cancel()


async def test_a_fault_is_reported_and_ends_its_own_connection_only(autojump_clock: MockClock) -> None:
    served = Served(Limits())
    served.errors = [KeyError("ours"), trio.BrokenResourceError()]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(served.run)
        for _ in range(2):
            stream = await served.connect()
            await stream.send_all(b"x")
            assert await stream.receive_some() == b""
        nursery.cancel_scope.cancel()
    assert [type(error) for error in served.reports] == [KeyError]


async def test_closing_accepts_no_more_and_ends_with_the_last_connection(autojump_clock: MockClock) -> None:
    served = Served(Limits())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(served.run)
        stream = await served.connect()
        served.connections.close()
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(ConnectionRefusedError):
            await served.connect()
        await stream.aclose()


def test_what_a_client_causes_by_leaving_is_no_fault() -> None:
    assert is_lost_connection(ExceptionGroup("", [OSError(), trio.ClosedResourceError()]))
    assert not is_lost_connection(ExceptionGroup("", [OSError(), KeyError()]))


class Full(MemoryListener):
    """A listener of a system that has no room for as long as it is said."""

    until = 25.0

    async def accept(self) -> MemoryStream:
        if trio.current_time() < self.until:
            raise OSError(errno.EMFILE, "Too many open files")
        return await super().accept()


async def test_without_descriptors_clients_wait_and_the_log_is_told_seldom(autojump_clock: MockClock) -> None:
    reports: list[BaseException] = []
    served: list[float] = []

    async def serve(stream: Any) -> None:
        served.append(trio.current_time())

    connections, listener = Connections(serve, Limits(), reports.append), Full()
    began = trio.current_time()
    Full.until = began + 25.0
    listener.arrive(stream_pair()[1])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connections.accept, [listener])
        await trio.sleep(30)
        connections.close()
    assert [type(report) for report in reports] == [NoRoom] * 3
    assert served == [pytest.approx(began + 25.0, abs=0.11)]


async def test_an_error_of_another_kind_ends_the_accepting(autojump_clock: MockClock) -> None:
    class Broken(MemoryListener):
        async def accept(self) -> MemoryStream:
            raise OSError(errno.EINVAL, "Invalid argument")

    async def serve(stream: Any) -> None:
        raise AssertionError("nobody comes")

    with pytest.RaisesGroup(pytest.RaisesGroup(OSError)):
        await Connections(serve, Limits(), print).accept([Broken()])


@pytest.mark.parametrize(("error", "is_reported"), [(ValueError(), True), (trio.BrokenResourceError(), False)])
async def test_what_is_done_for_a_connection_ends_nothing_else(error: Exception, is_reported: bool) -> None:
    async def fail() -> None:
        raise error

    served = Served(Limits())
    await served.connections.contained(fail)
    assert served.reports == [error] * is_reported
