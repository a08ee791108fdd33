"""A worker as its parent sees it: a process, the control stream to it, and what is known of it."""

import contextlib
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import trio

from actors import ActorError, ActorStopped, AskTimeout, Bridge, Mailbox, Question, Ref, Reply, WireError
from ucr import listening
from ucr.begun import Begun
from ucr.config.model import Config
from ucr.logs import Log
from ucr.messages import (
    CODEC,
    Beat,
    ClearCache,
    Drain,
    ForAll,
    Lesson,
    Lines,
    Reconfigure,
    TakeView,
    ToParent,
    Totals,
    ToWorker,
    Tune,
)
from ucr.spawn import ChildProcess, Exit
from ucr.store_spec import StoreAddress
from ucr.views import WorkerView

START_S = 30.0
"""How long a new worker may take to be ready."""

FOLLOW_S = 10.0
"""How long a running worker may take to take a configuration over."""

SETTLED_S = 1.0
"""A worker that has been ready for this long and then dies was not killed by its own start."""

REST_S = 1.0
"""How long what a dead worker has said may still be read."""

VIEW_S = 0.5
"""How long a worker may take to say how things are."""

_CAPACITY = 64
Answer = TypeVar("Answer")


def _ignore(_worker: object, _message: object, _reply: object) -> None:
    pass


class Unready(Exception):
    """A worker ended, or refused its configuration, or took too long, before it was ready."""


class Process(Protocol):
    """What is needed of a process."""

    pid: int

    def kill(self) -> None: ...

    def terminate(self) -> None: ...

    async def wait(self) -> Exit: ...


Sockets = tuple[socket.socket, ...]
Desk = Callable[["HiredWorker", ForAll, Reply[Any]], None]
Start = Callable[[int, Sockets], tuple[Process, trio.abc.Stream]]


class HiredWorker:
    """One worker process, from its start to its end. `run` lives exactly as long as the process.

    `ended` is set when the process has ended, `left` also when it has only left its slot to another.

    `start` starts a process for a slot, on listening sockets, and returns the control stream to it as well. What
    a worker says that concerns others goes to `desk`, which must neither wait nor raise.
    """

    def __init__(self, slot: int, log: Log, desk: Desk | None = None) -> None:
        self.slot = slot
        self.generation = 0
        self.started_at = self.heard_at = trio.current_time()
        self.ready_at: float | None = None
        self.ended_at: float | None = None
        self.is_stalled = False
        self.is_leaving = False
        self.exit: Exit | None = None
        self.ended = trio.Event()
        self.left = trio.Event()
        self._heard_all = trio.Event()
        self.view: WorkerView | None = None
        self._log = log
        self._desk: Desk = _ignore if desk is None else desk
        self._process: Process | None = None
        self._bridge: Bridge[ToWorker] | None = None
        self._mailbox: Mailbox[ToParent] = Mailbox(f"worker {slot}", capacity=_CAPACITY)

    def __repr__(self) -> str:
        return f"<HiredWorker {self.pid} of slot {self.slot}, generation {self.generation}>"

    @property
    def pid(self) -> int:
        return 0 if self._process is None else self._process.pid

    @property
    def is_settled(self) -> bool:
        """Whether it was ready for a while before it ended, or until now."""
        until = trio.current_time() if self.ended_at is None else self.ended_at
        return self.ready_at is not None and until - self.ready_at >= SETTLED_S

    async def run(self, start: Start, listen: Sockets, *, task_status: trio.TaskStatus["HiredWorker"]) -> None:
        """Start the process and return when it has ended; it is killed when this is cancelled."""
        self._process, stream = start(self.slot, listen)
        self._bridge = Bridge(f"worker {self.slot}", stream, CODEC, Ref(self._mailbox))
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._carry, self._bridge)
                nursery.start_soon(self._hear)
                task_status.started(self)
                self.exit = await self._process.wait()
                with trio.move_on_after(REST_S):
                    await self._heard_all.wait()
                nursery.cancel_scope.cancel(reason="the process has ended")
        finally:
            self._end()

    def _end(self) -> None:
        if self.exit is None:
            self.kill()
        self.ended_at = trio.current_time()
        self.left.set()
        self.ended.set()

    async def _carry(self, bridge: Bridge[ToWorker]) -> None:
        try:
            await bridge.run()
        except WireError as error:
            self._log.error("worker.garbled", slot=self.slot, pid=self.pid, error=str(error))
            self.kill()
        self._heard_all.set()

    async def _hear(self) -> None:
        while True:
            message, reply = await self._mailbox.take()
            self._receive(message, reply)

    def _receive(self, message: ToParent, reply: Reply[Any]) -> None:
        match message:
            case Beat():
                self.heard_at = trio.current_time()
            case Totals(view=view):
                self.heard_at, self.view = trio.current_time(), view
            case _:
                self._desk(self, message, reply)

    async def reconfigure(
        self, generation: int, config: Config, limit_s: float = FOLLOW_S, store: StoreAddress | None = None
    ) -> None:
        """Give the worker a configuration, and return when it serves it; raises `ActorError` when it does not."""
        applied = await self._ask(Reconfigure(generation, config, store), limit_s)
        self.generation = applied.generation
        self.heard_at = trio.current_time()

    async def make_ready(self, generation: int, config: Config, store: StoreAddress | None = None) -> None:
        """Give a new worker its first configuration; one that does not get ready is killed, with `Unready`."""
        try:
            await self.reconfigure(generation, config, START_S, store)
        except ActorError as error:
            self.kill()
            await self.ended.wait()
            if self.exit and self.exit.signal != "SIGKILL":
                why = f"ended with {self.exit}"
            elif isinstance(error, AskTimeout):
                why = f"was not ready within {START_S:.0f} s; is this machine very busy?"
            else:
                why = str(error)
            raise Unready(f"worker {self.slot} (process {self.pid}): {why}") from None
        self.ready_at = trio.current_time()

    async def take_view(self) -> WorkerView | None:
        """Return the view of now, or the last one that is known; one that does not answer is shown as stalled."""
        try:
            self.view = await self._ask(TakeView(), VIEW_S)
        except ActorError:
            if self.view is not None and self.is_stalled:
                return replace(self.view, state="stalled")
        return self.view

    async def clear_cache(self, tag: str | None = None) -> int:
        """Empty the worker's cache, or forget what has a tag; return how many answers it were."""
        try:
            return await self._ask(ClearCache(tag), VIEW_S)
        except ActorError:
            return 0

    def learn(self, lesson: Lesson) -> None:
        """Tell the worker what another one found out."""
        self._offer(lesson)

    def pass_on(self, message: Tune | Lines) -> None:
        """Tell the worker that somebody listens elsewhere, or what others have logged."""
        self._offer(message)

    def _offer(self, message: Lesson | Tune | Lines) -> None:
        if self._bridge is not None:
            self._bridge.remote.offer(message)

    async def _ask(self, question: Question[Answer], limit_s: float) -> Answer:
        if self._bridge is None:
            raise ActorStopped(f"worker {self.slot} has not started")
        return await self._bridge.remote.ask(question, deadline=trio.current_time() + limit_s)

    def drain(self, grace_s: float) -> None:
        """Tell the worker to end, with so much time for its requests."""
        self.is_leaving = True
        if self._bridge is not None:
            self._bridge.remote.tell(Drain(grace_s))

    def terminate(self) -> None:
        """Say the same as `drain`, by a signal, to one that may not read its stream any more."""
        if self._process is not None and self.exit is None:
            self._process.terminate()

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None and self.exit is None:
            self._process.kill()


def start_worker(slot: int, listen: Sockets) -> tuple[Process, trio.abc.Stream]:
    """Start the process of a worker, and return it with our end of the control stream to it; raises `OSError`."""
    return employed(Begun(slot), listen)


def employed(begun: Begun, listen: Sockets) -> tuple[Process, trio.abc.Stream]:
    """Give a process that has begun what it listens on, and return it with our end of the control stream to it.

    One that has ended meanwhile gets nothing; its stream says so.
    """
    with begun:
        with contextlib.suppress(ConnectionError):
            listening.pass_on(begun.control, listen)
        process, control = begun.take()
    return ChildProcess(process), trio.SocketStream(trio.socket.from_stdlib_socket(control))


class StartWorker:
    """Starts workers like `start_worker`; the first one for its slot is the process that was begun ahead."""

    def __init__(self, begun: Begun) -> None:
        self._begun = begun

    def __call__(self, slot: int, listen: Sockets) -> tuple[Process, trio.abc.Stream]:
        if slot == self._begun.slot and not self._begun.is_taken:
            return employed(self._begun, listen)
        return start_worker(slot, listen)
