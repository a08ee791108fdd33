"""A client's connection: read, written, watched, and given up."""

import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from actors import Pump
from tests.world.sockets import local_pair
from ucr.lane.line import AHEAD_BYTES, Line
from ucr.stress.network import MemoryStream, stream_pair


def pair() -> tuple[Line, MemoryStream]:
    """Return a line and its client."""
    server, client = stream_pair()
    return Line(server, 30.0), client


async def test_what_a_client_sends_is_received_and_its_end_too() -> None:
    line, client = pair()
    await client.send_all(b"abc")
    assert await line.receive() == b"abc"
    await client.aclose()
    assert await line.receive() == b""


async def test_a_connection_that_breaks_has_ended() -> None:
    line, client = pair()
    await client.reset()
    assert await line.receive() == b""


async def test_a_line_that_is_closed_writes_nothing_to_whoever_has_its_number_then() -> None:
    server, client = local_pair()
    line = Line(server, 30.0)
    number = server.socket.fileno()
    line.close()
    await server.aclose()
    await client.aclose()
    others = socket.socketpair()
    assert number in {other.fileno() for other in others}  # the system gives the lowest number that is free
    with line.scope:
        assert line.send_now(b"abc") == 0
        await line.send(b"abc")
    assert line.scope.cancelled_caught
    for other in others:
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.recv(10)
    for other in others:
        other.close()


async def test_a_client_that_does_not_read_is_cut_off(autojump_clock: MockClock) -> None:
    server, _client = memory_stream_pair()
    server.send_stream.send_all_hook = trio.sleep_forever
    line = Line(server, 30.0)
    with line.scope:
        await line.send(b"abc")
        pytest.fail("it was not cancelled")
    assert line.scope.cancelled_caught
    assert trio.current_time() == 30


async def test_a_client_that_left_cancels_who_writes_to_it() -> None:
    line, client = pair()
    await client.aclose()
    with line.scope:
        await line.send(b"abc")
        pytest.fail("it was not cancelled")
    assert line.scope.cancelled_caught


@pytest.mark.parametrize("way", ["close", "half-close", "reset"])
async def test_a_watched_client_that_leaves_cancels_its_answer(way: str, autojump_clock: MockClock) -> None:
    line, client = pair()
    line.is_answered = False
    async with trio.open_nursery() as nursery:
        line.begin_watch(Pump(), nursery.start_soon)
        with line.scope:
            nursery.start_soon(
                {"close": client.aclose, "half-close": client.send_eof, "reset": client.reset}[way]
            )
            await trio.sleep_forever()
    assert line.scope.cancelled_caught
    assert trio.current_time() == 0


async def test_a_client_may_leave_when_it_has_its_answer(autojump_clock: MockClock) -> None:
    line, client = pair()
    async with trio.open_nursery() as nursery:
        line.begin_watch(Pump(), nursery.start_soon)
        await client.aclose()
        await wait_all_tasks_blocked()
    assert not line.scope.cancel_called


async def test_what_is_read_ahead_is_kept(autojump_clock: MockClock) -> None:
    line, client = pair()
    async with trio.open_nursery() as nursery:
        line.begin_watch(Pump(), nursery.start_soon)
        await client.send_all(b"GET ")
        await wait_all_tasks_blocked()
        await line.end_watch()
        await client.send_all(b"/")
        assert [await line.receive(), await line.receive()] == [b"GET ", b"/"]


async def test_no_more_is_read_ahead_than_the_limit(autojump_clock: MockClock) -> None:
    line, client = pair()
    async with trio.open_nursery() as nursery:
        line.begin_watch(Pump(), nursery.start_soon)
        for _ in range(4):
            await client.send_all(b"x" * 65_536)
            await wait_all_tasks_blocked()
        await line.end_watch()
        assert AHEAD_BYTES <= len(await line.receive()) <= 2 * AHEAD_BYTES


async def test_a_watch_that_has_not_begun_ends_all_the_same(autojump_clock: MockClock) -> None:
    line, client = pair()
    async with trio.open_nursery() as nursery:
        line.begin_watch(Pump(), nursery.start_soon)
        await line.end_watch()
        await line.end_watch()
        await client.send_all(b"abc")
        assert await line.receive() == b"abc"


async def test_lingering_reads_on_until_the_client_closes_or_two_seconds(autojump_clock: MockClock) -> None:
    line, client = pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(line.linger)
        assert await client.receive_some() == b""
        await client.send_all(b"more")
        await client.aclose()
    assert trio.current_time() == 0
    await pair()[0].linger()
    assert trio.current_time() == 2


async def opened_on_sockets() -> tuple[Line, trio.SocketStream]:
    """Return a line on a real connection, and its client."""
    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    async with listener:
        client = await trio.testing.open_stream_to_socket_listener(listener)
        return Line(await listener.accept(), 30.0), client


async def test_a_socket_is_read_and_written_like_any_stream() -> None:
    line, client = await opened_on_sockets()
    async with line.stream, client:
        await line.send(b"abc")
        assert await client.receive_some() == b"abc"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.send_all, b"def")
            assert await line.receive() == b"def"
        await client.aclose()
        assert await line.receive() == b""


async def test_what_a_socket_does_not_take_at_once_is_sent_when_it_can() -> None:
    line, client = await opened_on_sockets()
    data = bytes(range(256)) * 40_000
    async with line.stream, client, trio.open_nursery() as nursery:
        nursery.start_soon(line.send, data)
        received = bytearray()
        while len(received) < len(data):
            received += await client.receive_some()
        assert received == data


async def test_a_socket_that_is_reset_cancels_who_writes_to_it() -> None:
    line, client = await opened_on_sockets()
    async with line.stream:
        client.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, struct.pack("ii", 1, 0))
        await client.aclose()
        assert await line.receive() == b""
        with line.scope:
            await line.send(b"abc")
            pytest.fail("it was not cancelled")
        assert line.scope.cancelled_caught


async def test_a_watch_that_is_stopped_before_its_first_step_touches_no_socket() -> None:
    line, client = await opened_on_sockets()
    async with client, trio.open_nursery() as nursery:
        line.begin_watch(Pump(), nursery.start_soon)
        line.stop_watch()
        await line.stream.aclose()
    assert not line.scope.cancel_called


async def test_what_fails_beside_an_answer_ends_the_connection() -> None:
    async def fail() -> None:
        raise ValueError("no keep-alive can be written")

    line, _client = pair()
    with pytest.raises(ValueError, match="no keep-alive"):
        await line.beside(fail)
    with line.scope:
        await trio.sleep_forever()
    assert line.scope.cancelled_caught


@asynccontextmanager
async def heard() -> AsyncIterator[tuple[Line, trio.SocketStream, trio.Nursery]]:
    """Open a line whose client a pump hears, and that is being answered."""
    line, client = await opened_on_sockets()
    line.is_answered = False
    pump = Pump()
    async with line.stream, client, trio.open_nursery() as nursery:
        nursery.start_soon(pump.run)
        await wait_all_tasks_blocked()
        tasks = trio.lowlevel.current_statistics().tasks_living
        line.begin_watch(pump, nursery.start_soon)
        assert trio.lowlevel.current_statistics().tasks_living == tasks, "no task waits for the client"
        yield line, client, nursery
        line.stop_watch()
        assert pump.sockets == 0
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("way", ["close", "half-close", "reset"])
async def test_a_client_that_leaves_is_heard_by_the_pump(way: str) -> None:
    async with heard() as (line, client, _):
        with line.scope:
            if way == "half-close":
                await client.send_eof()
            else:
                if way == "reset":
                    client.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, struct.pack("ii", 1, 0))
                await client.aclose()
            await trio.sleep_forever()
        assert line.scope.cancelled_caught


async def test_what_the_pump_hears_is_kept() -> None:
    async with heard() as (line, client, _):
        await client.send_all(b"GET ")
        await wait_all_tasks_blocked()
        line.stop_watch()
        assert not line.is_watched, "nothing is to be waited for"
        await line.end_watch()
        await client.send_all(b"/")
        assert [await line.receive(), await line.receive()] == [b"GET ", b"/"]


async def test_the_pump_hears_no_more_than_the_limit() -> None:
    async with heard() as (line, client, nursery):
        nursery.start_soon(client.send_all, bytes(4_000_000))
        await wait_all_tasks_blocked()
        await line.end_watch()
        assert AHEAD_BYTES <= len(await line.receive()) <= 2 * AHEAD_BYTES
        assert not line.scope.cancel_called
