from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from actors.actor import serve
from actors.bridge import Bridge
from actors.errors import ActorStopped
from actors.link import Link, LinkEvents, greet
from actors.mailbox import Mailbox, Reply
from actors.ref import Question, Ref
from actors.wire import Codec


@dataclass(frozen=True, slots=True)
class Double(Question[int]):
    number: int


CODEC = Codec((Double,))
GREETING = b"D"


class Doubler:
    def receive(self, message: Double, reply: Reply[Any]) -> None:
        reply.answer(2 * message.number)


@dataclass
class Peer:
    """The other process: it may refuse connections, leave them in the backlog, or serve them."""

    mode: str = "serves"
    connects: int = 0
    streams: list[trio.abc.Stream] = field(default_factory=list)
    came: trio.Event = field(default_factory=trio.Event)

    async def connect(self) -> trio.abc.Stream:
        self.connects += 1
        if self.mode == "refuses":
            raise OSError("nobody listens")
        ours, theirs = memory_stream_pair()
        self.streams.append(theirs)
        self.look()
        return ours

    def look(self) -> None:
        self.came.set()
        self.came = trio.Event()

    async def serve(self, nursery: trio.Nursery) -> None:
        mailbox: Mailbox[Double] = Mailbox("doubler", capacity=10)
        nursery.start_soon(serve, mailbox, Doubler())
        done = 0
        while True:
            while done < len(self.streams) and self.mode == "serves":
                nursery.start_soon(self._serve_one, self.streams[done], Ref(mailbox))
                done += 1
            await self.came.wait()

    async def _serve_one(self, stream: trio.abc.Stream, ref: Ref[Double]) -> None:
        if await greet(stream, {GREETING: ref}) is ref:
            await Bridge[Double]("peer", stream, CODEC, ref).run()


class Told(LinkEvents[Double]):
    def __init__(self) -> None:
        self.events: list[str] = []

    def up(self, ref: Ref[Double]) -> None:
        self.events.append("up")

    def down(self, reason: str | None) -> None:
        self.events.append(f"down: {reason}")


@asynccontextmanager
async def linked(peer: Peer) -> AsyncIterator[tuple[Link[Double], Told]]:
    told = Told()
    link: Link[Double] = Link("link", peer.connect, CODEC, GREETING, told, rng=lambda: 1.0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(peer.serve, nursery)
        nursery.start_soon(link.run)
        await wait_all_tasks_blocked()
        yield link, told
        nursery.cancel_scope.cancel(reason="tested")


async def test_an_actor_is_asked_through_whatever_connection_there_is(autojump_clock: MockClock) -> None:
    peer = Peer()
    async with linked(peer) as (link, told):
        assert await link.ref.ask(Double(4)) == 8
        await trio.aclose_forcefully(peer.streams[0])
        await trio.sleep(0.5)
        assert await link.ref.ask(Double(5)) == 10
        assert told.events == ["up", "down: the other process closed it", "up"]
    assert told.events[-1] == "down: None"
    assert not link.is_up


async def test_it_tries_for_ever_with_a_growing_pause(autojump_clock: MockClock) -> None:
    peer = Peer(mode="refuses")
    async with linked(peer) as (link, told):
        await trio.sleep(60)
        assert 60 <= peer.connects <= 68
        with pytest.raises(ActorStopped):
            await link.ref.ask(Double(1))
        assert not link.ref.offer(Double(1))
        peer.mode = "serves"
        await trio.sleep(1.1)
        assert await link.ref.ask(Double(1)) == 2
        assert told.events == ["up"]


async def test_a_connection_that_nobody_greets_back_is_none_yet(autojump_clock: MockClock) -> None:
    peer = Peer(mode="waits")
    async with linked(peer) as (link, _):
        await trio.sleep(10)
        assert not link.is_up
        peer.mode = "serves"
        peer.look()
        await wait_all_tasks_blocked()
        assert await link.ref.ask(Double(3)) == 6
        assert peer.connects == 1


async def test_a_peer_that_answers_with_something_else_is_left(autojump_clock: MockClock) -> None:
    async def connect() -> trio.abc.Stream:
        ours, theirs = memory_stream_pair()
        await theirs.send_all(b"HTTP/1.1 400 Bad Request\r\n")
        return ours

    link: Link[Double] = Link("link", connect, CODEC, GREETING, LinkEvents())
    with trio.move_on_after(5):
        await link.run()
    assert not link.is_up


async def test_nonsense_after_the_greeting_ends_the_connection_and_not_the_link(
    autojump_clock: MockClock,
) -> None:
    async def connect() -> trio.abc.Stream:
        ours, theirs = memory_stream_pair()
        await theirs.send_all(GREETING + b"\x00\x00\x00\x01\xc1")
        return ours

    told = Told()
    link: Link[Double] = Link("link", connect, CODEC, GREETING, told)
    with trio.move_on_after(3):
        await link.run()
    assert len(told.events) > 4
    assert "cannot be read" in told.events[1]


async def test_an_unknown_greeting_is_not_given_back() -> None:
    ours, theirs = memory_stream_pair()
    await ours.send_all(b"X")
    assert await greet(theirs, {GREETING: 1}) is None


async def test_its_numbers_are_those_of_the_connection(autojump_clock: MockClock) -> None:
    peer = Peer()
    async with linked(peer) as (link, _):
        await link.ref.ask(Double(4))
        assert link.ref.statistics().answered == 1
        assert link.inside() == link.ref.statistics()
    assert link.ref.statistics().closed
