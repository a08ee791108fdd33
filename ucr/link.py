"""The worker's end of the control stream: the orders that come, and what is told to the parent."""

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol, assert_never

import trio

from actors import ActorChild, ActorError, Bridge, Mailbox, Ref, RemoteRef, Reply
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
    ToParent,
    Totals,
    ToWorker,
    Tune,
)
from ucr.views import WorkerView

BEAT_S = 1.0
ORPHAN_GRACE_S = 2.0
"""How long requests may go on when the parent is gone: its successor wants to start."""
_CAPACITY = 64


Order = tuple[Reconfigure, Reply[Applied]]
Asked = tuple[TakeView | ClearCache, Reply[Any]]
TakeNow = Callable[[], Awaitable[WorkerView]]


class Leave:
    """When this worker is to go. The first call decides that, later ones can only hurry it."""

    def __init__(self) -> None:
        self.wanted = trio.Event()
        self.deadline = math.inf
        self._hurry: Callable[[float], None] | None = None

    def __repr__(self) -> str:
        return f"<Leave {'wanted' if self.wanted.is_set() else 'not wanted'}>"

    def within(self, grace_s: float) -> None:
        """Drain, and let open requests go on this long at most."""
        self.deadline = min(self.deadline, trio.current_time() + grace_s)
        self.wanted.set()
        if self._hurry is not None:
            self._hurry(grace_s)

    def when_hurried(self, hurry: Callable[[float], None]) -> None:
        """Call this with the seconds that are left whenever there are fewer than before."""
        self._hurry = hurry

    @property
    def grace_s(self) -> float:
        """What is left of the grace time."""
        return max(0.0, self.deadline - trio.current_time())


class Link:
    """The bridge to the parent. Orders wait in `mailbox` until there is an actor to take them."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.mailbox: Mailbox[ToWorker] = Mailbox("control", capacity=_CAPACITY)
        self.leave = Leave()
        self.grace_s = 0.0
        self._bridge: Bridge[ToParent] = Bridge("parent", stream, CODEC, Ref(self.mailbox))

    @property
    def parent(self) -> RemoteRef[ToParent]:
        return self._bridge.remote

    async def run(self) -> None:
        """Carry messages until the parent is gone; then leave."""
        await self._bridge.run()
        self.leave.within(ORPHAN_GRACE_S)

    async def beat(self, take_view: TakeNow) -> None:
        """Tell the parent each second that this process works, and what it has counted, for ever."""
        while True:
            if not self.parent.offer(Totals(await take_view())):
                self.parent.offer(Beat())
            await trio.sleep(BEAT_S)

    async def leave_at_signal(self, signals: AsyncIterator[int]) -> None:
        """Drain at SIGTERM; the second one leaves no time."""
        async for _ in signals:
            self.leave.within(0.0 if self.leave.wanted.is_set() else self.grace_s)

    async def first(self) -> Order | None:
        """Wait for the configuration to start with; None when the parent wants no worker any more."""
        found: list[Order] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._take_first, found, nursery.cancel_scope)
            await self.leave.wanted.wait()
            nursery.cancel_scope.cancel(reason="no worker is wanted")
        return found[0] if found else None

    async def _take_first(self, found: list[Order], scope: trio.CancelScope) -> None:
        message, reply = await self.mailbox.take()
        if isinstance(message, Reconfigure):
            found.append((message, reply))
            self.grace_s = message.config.server.grace_s
        scope.cancel(reason="the first order has come")

    async def wait_flushed(self) -> None:
        """Wait until the parent has what it was told."""
        await self._bridge.wait_flushed()


class Duties(Protocol):
    """What a worker does for its parent. `obey` may raise `ActorError`, `OSError` and `ValueError` as reasons."""

    async def obey(self, order: Reconfigure) -> None: ...

    async def take_view(self) -> WorkerView: ...

    async def clear_cache(self, tag: str | None = None) -> int: ...

    def learn(self, lesson: Lesson) -> None: ...

    def hear(self, message: Tune | Lines) -> None: ...


class ControlActor:
    """Takes the parent's orders. What takes time is put in line: configurations in one, questions in another."""

    def __init__(
        self,
        leave: Leave,
        duties: Duties,
        orders: trio.MemorySendChannel[Order],
        questions: trio.MemorySendChannel[Asked],
    ) -> None:
        self._leave = leave
        self._duties = duties
        self._orders = orders
        self._questions = questions

    def receive(self, message: ToWorker, reply: Reply[Any]) -> None:
        match message:
            case Reconfigure():
                self._orders.send_nowait((message, reply))
            case TakeView() | ClearCache():
                self._questions.send_nowait((message, reply))
            case Drain(grace_s=grace_s):
                self._leave.within(grace_s)
            case ProviderFact() | RemedyFound():
                self._duties.learn(message)
            case Tune() | Lines():
                self._duties.hear(message)
            case other:
                assert_never(other)


class ControlChild(ActorChild[ToWorker]):
    """The actor, and beside it the tasks that work off its two lines. They are as long as the mailbox is wide."""

    def __init__(self, link: Link, duties: Duties) -> None:
        send_order, self._orders = trio.open_memory_channel[Order](_CAPACITY)
        send_question, self._questions = trio.open_memory_channel[Asked](_CAPACITY)
        super().__init__(link.mailbox, lambda: ControlActor(link.leave, duties, send_order, send_question))
        self._duties = duties

    async def run(self) -> None:
        """Run one incarnation; all tasks crash and start again together."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._take_orders)
            nursery.start_soon(self._take_questions)
            await super().run()

    async def _take_orders(self) -> None:
        while True:
            order, reply = await self._orders.receive()
            try:
                await self._duties.obey(order)
            except Rejected as rejected:
                reply.refuse(rejected)
            except (ActorError, OSError, ValueError) as error:
                reply.refuse(Rejected(f"{type(error).__name__}: {error}"))
            else:
                reply.answer(Applied(order.generation))

    async def _take_questions(self) -> None:
        while True:
            question, reply = await self._questions.receive()
            if isinstance(question, TakeView):
                reply.answer(await self._duties.take_view())
            else:
                reply.answer(await self._duties.clear_cache(question.tag))
