"""What is heard on a socket by a pump, beside its task."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors.ear import Ear
from actors.pump import Pump


class Heard:
    """What an ear was given at one end of a connection; it has enough after `enough` pieces."""

    def __init__(self, enough: int = 1000) -> None:
        self.far, self.near = socket.socketpair()
        self.near.setblocking(False)
        self.enough = enough
        self.taken: list[bytes] = []
        self.ended = 0

    def take(self, data: bytes, _now: float) -> bool:
        self.taken.append(data)
        return bool(data) and len(self.taken) < self.enough

    def end(self) -> None:
        self.ended += 1

    def ear(self, pump: Pump) -> Ear:
        return Ear(pump, self.near.fileno(), self.take, self.end)

    async def say(self, data: bytes) -> None:
        self.far.sendall(data)
        await wait_all_tasks_blocked()


@pytest.fixture
def heard() -> Iterator[Heard]:
    made = Heard()
    yield made
    made.far.close()
    made.near.close()


@asynccontextmanager
async def open_pump() -> AsyncIterator[Pump]:
    pump = Pump()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pump.run)
        await wait_all_tasks_blocked()
        yield pump
        nursery.cancel_scope.cancel()


async def test_it_hears_until_it_is_closed(heard: Heard) -> None:
    async with open_pump() as pump:
        ear = heard.ear(pump)
        await heard.say(b"one")
        await heard.say(b"two")
        ear.close()
        ear.close()
        await heard.say(b"three")
        assert (heard.taken, heard.ended, pump.sockets) == ([b"one", b"two"], 0, 0)
    assert heard.near.recv(10) == b"three"


async def test_it_closes_with_the_end_and_says_so(heard: Heard) -> None:
    async with open_pump() as pump:
        heard.ear(pump)
        heard.far.close()
        await wait_all_tasks_blocked()
        assert (heard.taken, heard.ended, pump.sockets) == ([b""], 1, 0)


async def test_it_closes_when_it_has_enough(heard: Heard) -> None:
    heard.enough = 1
    async with open_pump() as pump:
        heard.ear(pump)
        await heard.say(b"one")
        await heard.say(b"two")
        assert (heard.taken, heard.ended, pump.sockets) == ([b"one"], 1, 0)


async def test_a_socket_that_fails_ends_its_ear_and_no_other(heard: Heard) -> None:
    other = Heard()
    async with open_pump() as pump:
        heard.ear(pump)
        other.ear(pump)
        heard.near.sendall(b"never read")
        heard.far.close()  # which resets the connection
        await other.say(b"still heard")
        assert (heard.taken, heard.ended, other.taken, pump.sockets) == ([], 1, [b"still heard"], 1)
    other.far.close()
    other.near.close()
