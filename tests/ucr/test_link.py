"""The worker's end of the control stream, in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import memory_stream_pair

from actors import ActorCrashed, Bridge, Mailbox, Ref, open_supervisor
from ucr.config.model import Config, Server
from ucr.link import ORPHAN_GRACE_S, ControlChild, Leave, Link
from ucr.messages import (
    CODEC,
    Applied,
    Beat,
    ClearCache,
    Drain,
    Lesson,
    Lines,
    ProviderFact,
    Reconfigure,
    Rejected,
    RemedyFound,
    TakeView,
    Totals,
    Tune,
)
from ucr.views import WorkerView

CONFIG = Config(server=Server(grace_s=9.0))


class Work:
    """The duties of a worker, scripted."""

    def __init__(self, follow: Callable[[Reconfigure], Awaitable[None]]) -> None:
        self.obey = follow
        self.facts: list[Lesson] = []
        self.heard: list[Tune | Lines] = []

    async def take_view(self) -> WorkerView:
        return WorkerView("0", 7)

    async def clear_cache(self, tag: str | None = None) -> int:
        return 5 if tag is None else len(tag)

    def learn(self, lesson: Lesson) -> None:
        self.facts.append(lesson)

    def hear(self, message: Tune | Lines) -> None:
        self.heard.append(message)


class Ends:
    def __init__(self) -> None:
        near, far = memory_stream_pair()
        self.link = Link(near)
        self.heard: Mailbox[Any] = Mailbox("heard", capacity=4)
        self.parent: Bridge[Any] = Bridge("worker", far, CODEC, Ref(self.heard))


async def nothing(order: Reconfigure) -> None:
    """Follow whatever is ordered."""


@asynccontextmanager
async def linked() -> AsyncIterator[Ends]:
    ends = Ends()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ends.link.run)
        nursery.start_soon(ends.parent.run)
        yield ends
        nursery.cancel_scope.cancel(reason="the test has ended")


async def test_the_first_order_is_the_configuration_to_start_with(autojump_clock: object) -> None:
    async with linked() as ends, trio.open_nursery() as nursery:

        async def parent() -> None:
            assert await ends.parent.remote.ask(Reconfigure(7, CONFIG)) == Applied(7)

        nursery.start_soon(parent)
        order = await ends.link.first()
        assert order is not None
        assert order[0] == Reconfigure(7, CONFIG)
        order[1].answer(Applied(7))


async def test_a_worker_that_is_not_wanted_gets_no_order(autojump_clock: object) -> None:
    async with linked() as ends:
        ends.parent.remote.tell(Drain(1.0))
        assert await ends.link.first() is None
    async with linked() as ends:
        ends.parent.close()
        await trio.aclose_forcefully(ends.parent._stream)
        assert await ends.link.first() is None


async def test_a_worker_whose_parent_is_gone_leaves_soon(autojump_clock: object) -> None:
    async with linked() as ends:
        hurried: list[float] = []
        ends.link.leave.when_hurried(hurried.append)
        ends.link.leave.within(600.0)
        await trio.aclose_forcefully(ends.parent._stream)
        await trio.testing.wait_all_tasks_blocked()
        assert hurried == [600.0, ORPHAN_GRACE_S]
        assert ends.link.leave.grace_s == ORPHAN_GRACE_S


async def test_the_grace_time_can_only_become_shorter(autojump_clock: object) -> None:
    leave = Leave()
    assert repr(leave) == "<Leave not wanted>"
    leave.within(5.0)
    leave.within(50.0)
    assert leave.grace_s == 5.0
    await trio.sleep(6)
    assert leave.grace_s == 0.0


async def test_a_signal_leaves_the_grace_time_and_the_second_one_none(autojump_clock: object) -> None:
    async with linked() as ends, trio.open_nursery() as nursery:
        send, receive = trio.open_memory_channel[int](2)
        nursery.start_soon(ends.parent.remote.ask, Reconfigure(1, CONFIG))
        order = await ends.link.first()
        assert order is not None
        order[1].answer(Applied(1))
        nursery.start_soon(ends.link.leave_at_signal, receive)
        send.send_nowait(15)
        await trio.testing.wait_all_tasks_blocked()
        assert ends.link.leave.grace_s == 9.0
        send.send_nowait(15)
        await trio.testing.wait_all_tasks_blocked()
        assert ends.link.leave.grace_s == 0.0
        nursery.cancel_scope.cancel()


async def test_a_worker_beats_each_second(autojump_clock: object) -> None:
    async with linked() as ends, trio.open_nursery() as nursery:
        began = trio.current_time()
        nursery.start_soon(ends.link.beat, Work(nothing).take_view)
        for second in range(3):
            assert (await ends.heard.take())[0] == Totals(WorkerView("0", 7))
            assert trio.current_time() - began == pytest.approx(second, abs=0.1)
        nursery.cancel_scope.cancel()


async def test_totals_that_cannot_travel_do_not_make_a_worker_look_dead(autojump_clock: object) -> None:
    async def unwritable() -> WorkerView:
        return WorkerView("0", 7, providers={"up": object()})

    async with linked() as ends, trio.open_nursery() as nursery:
        nursery.start_soon(ends.link.beat, unwritable)
        assert (await ends.heard.take())[0] == Beat()
        nursery.cancel_scope.cancel()


async def test_questions_are_answered_while_a_configuration_is_followed(autojump_clock: object) -> None:
    async def follow(order: Reconfigure) -> None:
        await trio.sleep_forever()

    work = Work(follow)
    fact = ProviderFact("up", "rate_limit", 0, 3.0)
    found = RemedyFound("up", "m", "drop", ("seed",))
    async with linked() as ends, open_supervisor() as supervisor, trio.open_nursery() as nursery:
        await supervisor.start(ControlChild(ends.link, work))
        nursery.start_soon(ends.parent.remote.ask, Reconfigure(2, CONFIG))
        ends.parent.remote.offer(fact)
        ends.parent.remote.offer(found)
        assert await ends.parent.remote.ask(TakeView()) == WorkerView("0", 7)
        assert await ends.parent.remote.ask(ClearCache()) == 5
        assert await ends.parent.remote.ask(ClearCache("model:m")) == 7
        assert work.facts == [fact, found]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("error", "why"),
    [(OSError("disk"), "OSError: disk"), (ValueError("no"), "ValueError: no"), (Rejected("full"), "full")],
)
async def test_a_configuration_that_cannot_be_followed_is_rejected_with_the_reason(
    autojump_clock: object, error: Exception, why: str
) -> None:
    async def follow(order: Reconfigure) -> None:
        raise error

    async with linked() as ends, open_supervisor() as supervisor:
        await supervisor.start(ControlChild(ends.link, Work(follow)))
        with pytest.raises(Rejected) as caught:
            await ends.parent.remote.ask(Reconfigure(2, CONFIG))
        assert str(caught.value) == why


async def test_a_bug_in_following_fails_that_order_and_the_next_one_is_followed(autojump_clock: object) -> None:
    followed: list[int] = []

    async def follow(order: Reconfigure) -> None:
        if order.generation == 2:
            raise ZeroDivisionError
        followed.append(order.generation)

    async with linked() as ends, open_supervisor() as supervisor:
        await supervisor.start(ControlChild(ends.link, Work(follow)))
        with pytest.raises(ActorCrashed):
            await ends.parent.remote.ask(Reconfigure(2, CONFIG))
        assert await ends.parent.remote.ask(Reconfigure(3, CONFIG)) == Applied(3)
        ends.parent.remote.tell(Drain(4.0))
        await ends.link.leave.wanted.wait()
    assert followed == [3]


async def test_orders_are_followed_one_after_another_while_others_are_heard(autojump_clock: object) -> None:
    running = 0

    async def follow(order: Reconfigure) -> None:
        nonlocal running
        running += 1
        await trio.sleep(5)
        assert running == 1
        running -= 1

    async with linked() as ends, open_supervisor() as supervisor:
        await supervisor.start(ControlChild(ends.link, Work(follow)))
        async with trio.open_nursery() as nursery:
            for number in range(3):
                nursery.start_soon(ends.parent.remote.ask, Reconfigure(number, CONFIG))
            await trio.sleep(1)
            ends.parent.remote.tell(Drain(100.0))
            await ends.link.leave.wanted.wait()
            assert trio.current_time() % 5 == pytest.approx(1, abs=1.1)


async def test_what_the_live_feed_says_reaches_the_worker(autojump_clock: object) -> None:
    work, lines = Work(nothing), Lines(('{"event":"x"}',))
    async with linked() as ends, open_supervisor() as supervisor:
        await supervisor.start(ControlChild(ends.link, work))
        ends.parent.remote.offer(Tune())
        ends.parent.remote.offer(lines)
        await trio.testing.wait_all_tasks_blocked()
        assert work.heard == [Tune(), lines]
