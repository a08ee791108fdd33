"""The pipe between the task that answers and the one that reads."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from ucr.errors import ClientGone
from ucr.library.pipe import LIMIT_BYTES, Pipe


async def test_what_waits_is_read_at_once_and_then_the_end() -> None:
    pipe = Pipe()
    pipe.put(b"one ")
    pipe.put(b"two")
    pipe.end(whole=True)
    assert await pipe.receive() == b"one two"
    assert await pipe.receive() == b""
    assert pipe.is_whole


async def test_a_reader_waits_for_a_part(nursery: trio.Nursery) -> None:
    pipe, got = Pipe(), []

    async def read() -> None:
        got.append(await pipe.receive())

    nursery.start_soon(read)
    await wait_all_tasks_blocked()
    assert got == []
    pipe.put(b"x")
    await wait_all_tasks_blocked()
    assert got == [b"x"]


async def test_a_writer_waits_until_what_it_wrote_is_read(nursery: trio.Nursery) -> None:
    pipe, has_room = Pipe(), trio.Event()

    async def write() -> None:
        pipe.put(b"x" * LIMIT_BYTES)
        await pipe.wait_room()
        has_room.set()

    nursery.start_soon(write)
    await wait_all_tasks_blocked()
    assert not pipe.has_room
    assert not has_room.is_set()
    await pipe.receive()
    await wait_all_tasks_blocked()
    assert has_room.is_set()


async def test_a_writer_that_waits_is_told_when_the_reader_leaves(nursery: trio.Nursery) -> None:
    pipe = Pipe()
    pipe.put(b"x" * LIMIT_BYTES)
    told = trio.Event()

    async def wait() -> None:
        with pytest.raises(ClientGone):
            await pipe.wait_room()
        told.set()

    nursery.start_soon(wait)
    await wait_all_tasks_blocked()
    pipe.leave()
    await told.wait()


async def test_what_nobody_reads_is_not_kept() -> None:
    pipe = Pipe()
    pipe.put(b"x")
    pipe.leave()
    pipe.put(b"y")
    assert repr(pipe) == "<Pipe: 0 bytes wait, ended: False>"
    with pytest.raises(ClientGone):
        await pipe.wait_room()
