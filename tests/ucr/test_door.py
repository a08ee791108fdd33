import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any

import pytest
import trio
import trio.testing

from ucr.connections import Connections, Limits
from ucr.door import MOST, Door


@contextmanager
def clients(bound: socket.socket, count: int) -> Iterator[list[socket.socket]]:
    """Connect so many clients, which nobody has let in yet."""
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection(bound.getsockname())) for _ in range(count)]


@asynccontextmanager
async def let_in(door: Door) -> AsyncIterator[int]:
    """Let in whom the door lets in at once, and yield how many it is."""
    streams = [await door.accept(), *door.others()]
    try:
        yield len(streams)
    finally:
        for stream in streams:
            await trio.aclose_forcefully(stream)


async def counts(door: Door, turns: int) -> list[int]:
    found = []
    for _ in range(turns):
        async with let_in(door) as count:
            found.append(count)
    return found


async def test_the_longer_clients_wait_the_more_are_let_in_at_once() -> None:
    bound = socket.create_server(("127.0.0.1", 0), backlog=200)
    async with Door(bound) as door:
        async with trio.open_nursery() as nursery:
            found: list[int] = []

            async def first() -> None:
                found.extend(await counts(door, 1))

            nursery.start_soon(first)
            await trio.testing.wait_all_tasks_blocked()
            with clients(bound, 1):
                await trio.testing.wait_all_tasks_blocked()
        assert found == [1]
        with clients(bound, 150):
            assert await counts(door, 7) == [2, 4, 8, 16, 32, MOST, 24]
        with clients(bound, 1):
            assert await counts(door, 1) == [1]


async def test_a_door_that_is_closed_lets_nobody_in_and_wakes_who_waits() -> None:
    door = Door(socket.create_server(("127.0.0.1", 0)))

    async def wait() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await door.accept()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        await door.aclose()
    await wait()
    await door.aclose()


async def test_who_comes_with_many_is_served_after_a_few_turns_of_the_loop() -> None:
    bound = socket.create_server(("127.0.0.1", 0), backlog=200)
    served = 0

    async def serve(stream: Any) -> None:
        nonlocal served
        served += 1

    connections = Connections(serve, Limits(), print)
    with clients(bound, 100):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connections.accept, [Door(bound)])
            for _ in range(15):
                await trio.lowlevel.checkpoint()
            assert served == 100
            connections.close()
