"""How long a client may take nothing, on a socket and on other streams."""

import socket as stdlib

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from actors.sockets import plain_socket, write_now
from tests.world.sockets import connected
from ucr.lane.replay import ReplayStream
from ucr.stress.network import stream_pair
from ucr.writing import PIECE_BYTES, write

LARGE = b"x" * 3_000_000


async def test_a_client_that_takes_a_little_each_time_gets_all(autojump_clock: MockClock) -> None:
    received = 0
    async with connected() as (server, client), trio.open_nursery() as nursery:

        async def read_slowly() -> None:
            nonlocal received
            while received < len(LARGE):
                await trio.sleep(20)
                received += len(await client.receive_some(400_000))

        nursery.start_soon(read_slowly)
        assert await write(server, plain_socket(server), LARGE, 30.0)
    assert received == len(LARGE)
    assert trio.current_time() > 60


async def test_a_client_that_takes_nothing_any_more_is_given_up(autojump_clock: MockClock) -> None:
    async with connected() as (server, client), trio.open_nursery() as nursery:

        async def read_once() -> None:
            await trio.sleep(20)
            read = 0
            while read < 1_000_000:
                read += len(await client.receive_some(400_000))

        nursery.start_soon(read_once)
        assert not await write(server, plain_socket(server), LARGE, 30.0)
        assert trio.current_time() == 50


async def test_what_the_system_takes_at_once_needs_no_turn_of_the_loop() -> None:
    async with connected() as (server, client):
        with trio.CancelScope() as scope:
            scope.cancel()
            assert await write(server, plain_socket(server), b"abc", 30.0)
        assert not scope.cancelled_caught
        assert await client.receive_some() == b"abc"
        socket = plain_socket(server)
        assert socket is not None
        while write_now(socket, LARGE):
            pass
        assert write_now(socket, b"more") == 0


async def test_a_client_that_left_is_an_error_of_the_system() -> None:
    async with connected() as (server, client):
        client.setsockopt(stdlib.SOL_SOCKET, stdlib.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        await client.aclose()
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            await write(server, plain_socket(server), LARGE, 30.0)


async def test_another_stream_is_given_pieces_each_of_which_is_progress(autojump_clock: MockClock) -> None:
    server, _client = memory_stream_pair()
    pieces: list[float] = []

    async def take_slowly() -> None:
        pieces.append(trio.current_time())
        await trio.sleep(20)

    server.send_stream.send_all_hook = take_slowly
    assert plain_socket(server) is None
    assert await write(server, None, b"x" * (PIECE_BYTES * 2 + 1), 30.0)
    assert pieces == [0, 20, 40]
    server.send_stream.send_all_hook = trio.sleep_forever
    assert not await write(server, None, b"x", 30.0)
    assert trio.current_time() == 90


async def test_a_connection_that_was_handed_over_is_still_a_socket() -> None:
    async with connected() as (server, _client):
        assert plain_socket(ReplayStream(b"GET", server)) is server.socket
    assert plain_socket(ReplayStream(b"GET", stream_pair()[0])) is None
