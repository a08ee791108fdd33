import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
import trio
from trio.testing import MemoryReceiveStream, MemorySendStream, MockClock, memory_stream_pair

from actors.actor import serve
from actors.bridge import Bridge
from actors.errors import ActorError, ActorStopped, AskTimeout, Draining, MailboxFull, WireError
from actors.mailbox import Mailbox, Reply
from actors.ref import Question, Ref
from actors.wire import Codec, frame

Stream = trio.StapledStream[MemorySendStream, MemoryReceiveStream]


@dataclass(frozen=True, slots=True)
class Add(Question[int]):
    number: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Hold(Question[str]):
    word: str


@dataclass(frozen=True, slots=True)
class Refuse(Question[int]):
    pass


@dataclass(frozen=True, slots=True)
class Note:
    number: int


@dataclass(frozen=True, slots=True)
class Unwritten(Question[int]):
    pass


CODEC = Codec((Add, Hold, Refuse, Note))


class Peer:
    """An actor that adds what it is told, and keeps what it is asked to hold."""

    def __init__(self) -> None:
        self.total = 0
        self.order: list[int] = []
        self.held: dict[str, Reply[str]] = {}
        self.abandoned: list[str] = []
        self.came = trio.Event()

    def receive(self, message: object, reply: Reply[Any]) -> None:
        match message:
            case Add(number=number):
                self.order.append(number)
                self.total += number
                reply.answer(self.total)
            case Note(number=number):
                self.order.append(number)
                self.total += number
            case Hold(word=word):
                self.held[word] = reply
                reply.when_abandoned(lambda: self.abandoned.append(word))
            case Refuse():
                reply.refuse(Draining("not now"))
        self.came.set()


@dataclass
class Link:
    """Two bridges on one stream: `near` is used, behind `far` stands the peer."""

    near: Bridge[Any]
    far: Bridge[Any]
    peer: Peer
    mailbox: Mailbox[Any]
    unclaimed: list[tuple[object, object]] = field(default_factory=list)
    near_ended: trio.Event = field(default_factory=trio.Event)


@asynccontextmanager
async def linked(capacity: int = 8, limit_bytes: int = 10_000) -> AsyncIterator[Link]:
    near_stream, far_stream = memory_stream_pair()
    peer, mailbox = Peer(), Mailbox[Any]("peer", capacity=4)
    unclaimed: list[tuple[object, object]] = []
    near: Bridge[Any] = Bridge(
        "near",
        near_stream,
        CODEC,
        capacity=capacity,
        limit_bytes=limit_bytes,
        on_unclaimed=lambda message, answer: unclaimed.append((message, answer)),
    )
    far: Bridge[Any] = Bridge("far", far_stream, CODEC, Ref(mailbox))
    link = Link(near, far, peer, mailbox, unclaimed)

    async def run_near() -> None:
        await near.run()
        link.near_ended.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, mailbox, peer)
        nursery.start_soon(run_near)
        nursery.start_soon(far.run)
        yield link
        nursery.cancel_scope.cancel(reason="the test has ended")


async def test_an_ask_is_answered_by_the_actor_of_the_other_side() -> None:
    async with linked() as link:
        assert await link.near.remote.ask(Add(2)) == 2
        assert await link.near.remote.ask(Add(3)) == 5
    statistics = link.near.remote.statistics()
    assert (statistics.asked, statistics.answered, statistics.unanswered) == (2, 2, 0)


async def test_asks_tells_and_offers_keep_their_order() -> None:
    async with linked() as link:
        slots = []
        for number in range(0, 9, 3):
            slots.append(link.near.remote.ask_nowait(Add(number)))
            link.near.remote.tell(Note(number + 1))
            assert link.near.remote.offer(Note(number + 2))
        for slot in slots:
            await slot.wait()
        await trio.testing.wait_all_tasks_blocked()
    assert link.peer.order == list(range(9))


async def test_a_refusal_comes_back_as_itself() -> None:
    async with linked() as link:
        with pytest.raises(Draining, match="not now"):
            await link.near.remote.ask(Refuse())
    assert link.near.remote.statistics().refused == 1


async def test_the_other_sides_full_mailbox_comes_back_as_itself() -> None:
    async with linked() as link, trio.open_nursery() as nursery:
        for number in range(4):
            nursery.start_soon(link.near.remote.ask, Hold(str(number)))
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(MailboxFull, match="peer"):
            await link.near.remote.ask(Add(1))
        nursery.cancel_scope.cancel()


async def test_more_asks_than_the_capacity_are_refused_here_at_once() -> None:
    async with linked(capacity=2) as link, trio.open_nursery() as nursery:
        for number in range(2):
            nursery.start_soon(link.near.remote.ask, Hold(str(number)))
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(MailboxFull, match="near"):
            await link.near.remote.ask(Add(1))
        assert link.near.remote.statistics().full == 1
        nursery.cancel_scope.cancel()


async def test_an_abandoned_ask_is_abandoned_there_and_makes_room_here() -> None:
    async with linked(capacity=1) as link:
        for word in ("first", "second"):
            with trio.CancelScope() as scope:
                link.peer.came = trio.Event()
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(link.near.remote.ask, Hold(word))
                    await link.peer.came.wait()
                    scope.cancel()
            await trio.testing.wait_all_tasks_blocked()
        assert link.peer.abandoned == ["first", "second"]
        assert await link.near.remote.ask(Add(1)) == 1
    statistics = link.near.remote.statistics()
    assert (statistics.asked, statistics.abandoned, statistics.answered) == (3, 2, 1)


async def test_an_answer_that_crosses_its_abandonment_is_handed_back() -> None:
    async with linked() as link:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(link.near.remote.ask, Hold("w"))
                await link.peer.came.wait()
                link.peer.held["w"].answer("granted")
                scope.cancel()
        await trio.testing.wait_all_tasks_blocked()
        assert link.unclaimed == [(Hold("w"), "granted")]
        assert link.near.remote.statistics().unanswered == 0


async def test_a_deadline_ends_the_ask_on_both_sides(autojump_clock: object) -> None:
    async with linked() as link:
        started = trio.current_time()
        with pytest.raises(AskTimeout):
            await link.near.remote.ask(Hold("w"), deadline=started + 3)
        assert trio.current_time() == started + 3
        await trio.testing.wait_all_tasks_blocked()
        assert link.peer.abandoned == ["w"]


async def test_an_answer_that_came_while_the_loop_stood_still_is_not_too_late(mock_clock: MockClock) -> None:
    """It lies in the stream when the deadline is found to have passed, and nobody had a turn to read it."""
    stream, other = memory_stream_pair()
    near: Bridge[Any] = Bridge("near", stream, CODEC)
    answers: list[int] = []

    async def ask() -> None:
        answers.append(await near.remote.ask(Add(2), deadline=trio.current_time() + 3))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(near.run)
        nursery.start_soon(ask)
        await other.receive_some()
        name, body = CODEC.encode(5)
        await other.send_all(frame(msgspec.msgpack.encode((3, 0, None, name, msgspec.Raw(body)))))
        mock_clock.jump(10)
        await trio.testing.wait_all_tasks_blocked()
        assert answers == [5]
        assert near.remote.statistics().answered == 1
        nursery.cancel_scope.cancel(reason="the test has ended")


async def test_a_deadline_that_has_passed_sends_nothing() -> None:
    async with linked() as link:
        with pytest.raises(AskTimeout, match="had passed"):
            await link.near.remote.ask(Add(1), deadline=trio.current_time() - 1)
        assert link.near.remote.statistics().asked == 0


async def test_the_end_of_the_stream_fails_what_is_unanswered_and_everything_after_it() -> None:
    async with linked() as link:
        failures: list[ActorError] = []

        async def ask() -> None:
            try:
                await link.near.remote.ask(Hold("w"))
            except ActorStopped as error:
                failures.append(error)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await link.peer.came.wait()
            await trio.aclose_forcefully(link.far._stream)
        await link.near_ended.wait()
        assert len(failures) == 1
        with pytest.raises(ActorStopped):
            await link.near.remote.ask(Add(1))
        link.near.remote.tell(Note(1))
        assert not link.near.remote.offer(Note(1))
    statistics = link.near.remote.statistics()
    assert (statistics.failed, statistics.undeliverable, statistics.closed) == (1, 2, True)


async def test_the_end_of_the_stream_abandons_what_the_peer_was_asked() -> None:
    async with linked() as link, trio.open_nursery() as nursery:

        async def ask() -> None:
            with pytest.raises(ActorStopped):
                await link.near.remote.ask(Hold("w"))

        nursery.start_soon(ask)
        await link.peer.came.wait()
        await trio.aclose_forcefully(link.near._stream)
        await trio.testing.wait_all_tasks_blocked()
        assert link.peer.abandoned == ["w"]


async def test_what_cannot_travel_fails_its_asker_only() -> None:
    async with linked() as link:
        with pytest.raises(WireError, match="not in this codec"):
            await link.near.remote.ask(Unwritten())
        link.near.remote.tell(Unwritten())
        assert await link.near.remote.ask(Add(1)) == 1
    assert link.near.remote.statistics().dropped == 1


async def test_an_answer_that_cannot_travel_fails_its_ask() -> None:
    async with linked() as link, trio.open_nursery() as nursery:

        async def ask() -> None:
            with pytest.raises(WireError):
                await link.near.remote.ask(Hold("w"))

        nursery.start_soon(ask)
        await link.peer.came.wait()
        link.peer.held["w"].answer(object())  # type: ignore[arg-type]


async def test_where_nobody_answers_an_ask_is_failed() -> None:
    async with linked() as link:
        with pytest.raises(ActorStopped, match="nobody answers here"):
            await link.far.remote.ask(Add(1))
        link.far.remote.tell(Note(1))
        await link.far.wait_flushed()


class Stuffed(trio.abc.Stream):
    """A stream whose other side neither reads nor writes."""

    async def send_all(self, data: object) -> None:
        await trio.sleep_forever()

    async def wait_send_all_might_not_block(self) -> None:
        await trio.sleep_forever()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.sleep_forever()
        raise AssertionError("for ever has ended")

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


async def test_a_peer_that_does_not_read_is_bounded_and_given_up() -> None:
    bridge: Bridge[Any] = Bridge("stuck", Stuffed(), CODEC, limit_bytes=1000)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bridge.run)
        await trio.testing.wait_all_tasks_blocked()
        while bridge.remote.offer(Note(1)):
            pass
        with pytest.raises(MailboxFull):
            bridge.remote.ask_nowait(Add(1, b"x" * 900))
        while not bridge.is_closed:
            bridge.remote.tell(Note(1))
            await trio.testing.wait_all_tasks_blocked()
    assert bridge.statistics().dropped == 1


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        frame(b"\xc1"),
        frame(b"\x95\x09\x00\xc0\xa0\xc0"),
        frame(b"\x95\x01\x00\xc0\xa4Evil\xc0"),
        frame(b"\x95\x00\x00\xc0\xa3Add\x80"),
    ],
)
async def test_a_peer_that_talks_nonsense_is_left(data: bytes) -> None:
    near, far = memory_stream_pair()
    bridge: Bridge[Any] = Bridge("near", near, CODEC)
    await far.send_all(data)
    with pytest.raises(WireError):
        await bridge.run()
    assert bridge.is_closed
    assert await far.receive_some() == b""


async def test_what_a_peer_said_before_it_left_is_still_heard() -> None:
    near, far = memory_stream_pair()
    mailbox: Mailbox[Any] = Mailbox("heard", capacity=4)
    bridge: Bridge[Any] = Bridge("near", near, CODEC, Ref(mailbox))
    other: Bridge[Any] = Bridge("far", far, CODEC)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(other.run)
        for number in range(3):
            other.remote.tell(Note(number))
        await other.wait_flushed()
        nursery.cancel_scope.cancel()
    bridge.remote.tell(Note(9))
    await bridge.run()
    assert [(await mailbox.take())[0] for _ in range(3)] == [Note(number) for number in range(3)]


def cancelled_at(step: int) -> Callable[[], bool]:
    """Return a counter that says yes at its n-th call."""
    steps = iter(range(step, -1, -1))
    return lambda: next(steps, -1) == 0


@pytest.mark.parametrize("step", range(12))
async def test_whenever_an_asker_leaves_nothing_is_left_behind(step: int) -> None:
    is_time = cancelled_at(step)
    async with linked(capacity=1) as link:
        with trio.CancelScope() as scope:

            class Cancels(trio.abc.Instrument):
                def before_task_step(self, task: trio.lowlevel.Task) -> None:
                    if is_time():
                        scope.cancel()

            trio.lowlevel.add_instrument(instrument := Cancels())
            try:
                await link.near.remote.ask(Add(1))
            finally:
                trio.lowlevel.remove_instrument(instrument)
        await trio.testing.wait_all_tasks_blocked()
        assert await link.near.remote.ask(Add(0)) == link.peer.total
        statistics = link.near.remote.statistics()
        assert statistics.asked == statistics.answered + statistics.abandoned == 2
        assert link.mailbox.statistics().unanswered == 0


async def test_a_bridge_names_itself() -> None:
    async with linked() as link:
        assert link.near.remote.name == "near"
        assert repr(link.near) == "<Bridge 'near' open: 0 unanswered, 0 bytes wait>"
        assert repr(link.near.remote) == f"<RemoteRef through {link.near!r}>"
        assert math.isfinite(link.near.statistics().capacity)
