"""What is read from sockets and from other streams."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.sockets import READ_BYTES, plain_socket, read
from tests.world.sockets import connected
from ucr.stress.network import stream_pair


async def test_what_a_client_sends_on_a_socket_is_read_and_its_end_too() -> None:
    async with connected() as (server, client):
        await client.send_all(b"abc")
        assert await read(server, plain_socket(server)) == b"abc"
        await client.send_all(b"x" * (READ_BYTES * 2))
        assert 0 < len(await read(server, plain_socket(server))) <= READ_BYTES
        await client.send_eof()
        while await read(server, plain_socket(server)):
            pass


async def test_who_reads_waits_and_can_be_cancelled(autojump_clock: MockClock) -> None:
    async with connected() as (server, client):
        with trio.move_on_after(5) as scope:
            await read(server, plain_socket(server))
        assert scope.cancelled_caught
        await client.send_all(b"abc")
        assert await read(server, plain_socket(server)) == b"abc"


async def test_a_socket_that_is_closed_meanwhile_is_an_error() -> None:
    async with connected() as (server, _client), trio.open_nursery() as nursery:

        async def be_closed_upon() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await read(server, plain_socket(server))

        nursery.start_soon(be_closed_upon)
        await wait_all_tasks_blocked()
        await server.aclose()


async def test_another_stream_is_read_in_its_own_way() -> None:
    server, client = stream_pair()
    await client.send_all(b"abc")
    assert await read(server, plain_socket(server)) == b"abc"
    await client.reset()
    with pytest.raises(trio.BrokenResourceError):
        await read(server, None)
