"""The workers of a router, and everything that is done to all of them."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar, assert_never

import trio

from actors import (
    ActorError,
    ActorStopped,
    MetricsSnapshot,
    Reply,
    SupervisionEvent,
    Supervisor,
    merged,
    open_supervisor,
)
from ucr.config.model import Config
from ucr.control import ReloadResult
from ucr.hired import HiredWorker, Sockets, Start, Unready, start_worker
from ucr.logs import Log
from ucr.memory import rss_bytes
from ucr.messages import (
    ClearCache,
    ForAll,
    Gather,
    Lines,
    Listening,
    ProviderFact,
    Rejected,
    ReloadNow,
    RemedyFound,
)
from ucr.observe.footprint import footprint
from ucr.observe.hub import Hub
from ucr.slot import INTENSITY, Slot, end
from ucr.store_spec import StoreAddress
from ucr.views import Gathered, ParentView, WorkerView

STALLED_S = 5.0
"""After this long without a beat a worker is called stalled: its loop does not turn."""

HOPELESS_S = 30.0
"""After this long it is killed, and replaced."""

LONG_DRAIN_S = 600.0
"""How long a replaced worker may go on with its requests (a stream of an LLM takes minutes)."""

MOST_LEAVING = 16
"""How many replaced workers may drain in that peace; the oldest beyond get the grace time of the configuration."""

WATCH_S = 1.0

RELIEF_S = 60.0
"""A worker that is younger is not replaced for want of memory: its successor would soon be short of it as well."""


def default_workers(cores: int | None = None) -> int:
    """Return as many workers as there are cores for this process, at least 2 and at most 4."""
    if cores is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(2, min(4, cores))


def wanted_workers(config: Config) -> int:
    """Return how many workers the configuration asks for."""
    return config.server.workers or default_workers()


Answer = TypeVar("Answer")
Reload = Callable[[], Awaitable[ReloadResult]]


async def _no_reload() -> ReloadResult:
    return ReloadResult(False, 0, ("the router is starting, or ending",))


async def _answer(reply: Reply[Answer], work: Callable[[], Awaitable[Answer]]) -> None:
    """Do the work and answer with it."""
    reply.answer(await work())


class Crew:
    """Hires, replaces, reconfigures and dismisses workers. One change at a time: its caller sees to that.

    `store` is what new workers are told of the store that they share.
    """

    def __init__(
        self,
        config: Config,
        sockets: Sockets,
        log: Log,
        supervisor: Supervisor,
        nursery: trio.Nursery,
        start: Start,
    ) -> None:
        self.config = config
        self.generation = 1
        self.sockets = sockets
        self.is_ending = False
        self.store: StoreAddress | None = None
        self.slots: dict[int, Slot] = {}
        self.reload: Reload = _no_reload
        self._leaving: list[HiredWorker] = []
        self.hub = Hub(lambda: (*self._leaving, *self.workers))
        self._is_relieving = False
        self._retired = MetricsSnapshot()
        self._began_s = trio.current_time()
        self._log = log
        self._supervisor = supervisor
        self._start = start
        # The nursery is that of `open_crew`: worker processes outlive the change that starts or retires them.
        self._nursery = nursery

    def __repr__(self) -> str:
        return f"<Crew of {len(self.slots)}, generation {self.generation}>"

    @property
    def workers(self) -> tuple[HiredWorker, ...]:
        """The workers that are in their slots now."""
        return tuple(slot.current for slot in self.slots.values() if slot.current is not None)

    async def hire(self, number: int) -> HiredWorker:
        """Start a worker for a slot and return it when it serves the present configuration."""
        while True:
            generation = self.generation
            worker = await self._hire(number, generation, self.config, self.sockets)
            if generation == self.generation:
                return worker
            worker.kill()

    async def _hire(self, number: int, generation: int, config: Config, sockets: Sockets) -> HiredWorker:
        worker = HiredWorker(number, self._log, self._heard)
        try:
            await self._nursery.start(self._employ, worker, sockets)
        except OSError as error:
            raise Unready(f"worker {number}: cannot be started: {error}") from None
        try:
            await worker.make_ready(generation, config, self.store)
        except BaseException:
            worker.kill()
            raise
        self._log.info("worker.ready", slot=number, pid=worker.pid, generation=generation)
        return worker

    async def _employ(
        self, worker: HiredWorker, sockets: Sockets, task_status: trio.TaskStatus[HiredWorker]
    ) -> None:
        await worker.run(self._start, sockets, task_status=task_status)
        assert worker.exit is not None
        if worker.view is not None:
            self._retired = merged(self._retired, worker.view.metrics)
        level = self._log.info if worker.is_leaving else self._log.error
        level(
            "worker.exited",
            slot=worker.slot,
            pid=worker.pid,
            status=worker.exit.status,
            signal=worker.exit.signal,
        )

    async def resize(self, count: int) -> None:
        """Have so many slots: fill new ones, or empty the last ones; raises `Unready` when one stays empty.

        Who loses its slot goes on with its requests as one that is replaced does.
        """
        numbers = [number for number in range(count) if number not in self.slots]
        for number, worker in (
            await self._hire_all(numbers, self.generation, self.config, self.sockets)
        ).items():
            slot = Slot(number, worker, self.hire, self._dismiss, self._grace_s, self._log)
            self.slots[number] = await self._supervisor.start(slot, intensity=INTENSITY)
        for number in [number for number in self.slots if number >= count]:
            slot = self.slots.pop(number)
            slot.vacate()
            await self._supervisor.stop(slot.name)

    async def _hire_all(
        self, numbers: list[int], generation: int, config: Config, sockets: Sockets
    ) -> dict[int, HiredWorker]:
        """Start workers side by side, all or none; raises the first `Unready`."""
        hired: dict[int, HiredWorker] = {}
        failed: list[Unready] = []

        async def one(number: int) -> None:
            try:
                hired[number] = await self._hire(number, generation, config, sockets)
            except Unready as error:
                failed.append(error)

        try:
            async with trio.open_nursery() as nursery:
                for number in numbers:
                    nursery.start_soon(one, number)
            if failed:
                raise failed[0]
        except BaseException:
            for worker in hired.values():
                worker.kill()
            raise
        return dict(sorted(hired.items()))

    async def follow(self, config: Config) -> None:
        """Make every worker serve this configuration, or none: raises `Rejected` when one does not."""
        before, workers = self.config, self.workers
        self.generation += 1
        self.config = config
        reasons = await self._tell_all(workers, config)
        if not reasons:
            return
        self.generation += 1
        self.config = before
        await self._tell_all(workers, before)
        raise Rejected("; ".join(dict.fromkeys(reasons)))

    async def _tell_all(self, workers: tuple[HiredWorker, ...], config: Config) -> list[str]:
        """Give all the configuration at once; return why each did not take it. One that died has no say."""
        reasons: list[str] = []

        async def tell(worker: HiredWorker) -> None:
            try:
                await worker.reconfigure(self.generation, config)
            except ActorStopped:
                return
            except ActorError as error:
                reasons.append(f"worker {worker.slot}: {error}")

        async with trio.open_nursery() as nursery:
            for worker in workers:
                nursery.start_soon(tell, worker)
        return reasons

    async def succeed(self, config: Config, sockets: Sockets) -> None:
        """Put new workers with this configuration into all slots, or into none: raises `Unready` then."""
        generation = self.generation + 1
        hired = await self._hire_all(list(self.slots), generation, config, sockets)
        self.generation, self.config, self.sockets = generation, config, sockets
        for number, worker in hired.items():
            self.slots[number].replace(worker)

    async def renew(self) -> None:
        """Replace one worker after another; one that does not get ready leaves the old one where it is."""
        for number, slot in tuple(self.slots.items()):
            try:
                async with slot.busy:
                    slot.replace(await self.hire(number))
            except Unready as error:
                self._log.error("worker.unready", slot=number, error=str(error))

    def _dismiss(self, worker: HiredWorker) -> None:
        """Let a worker drain; of too many that do, the one that has done it for longest is hurried."""
        if len(self._leaving) >= MOST_LEAVING:
            self._nursery.start_soon(end, self._leaving[-MOST_LEAVING], self._grace_s())
        self._leaving.append(worker)
        self._nursery.start_soon(self._see_off, worker)

    async def _see_off(self, worker: HiredWorker) -> None:
        await end(worker, LONG_DRAIN_S)
        self._leaving.remove(worker)

    def _grace_s(self) -> float:
        return self.config.server.grace_s

    def _heard(self, worker: HiredWorker, message: ForAll, reply: Reply[Any]) -> None:
        """Do what a worker says that concerns others."""
        match message:
            case ProviderFact() | RemedyFound():
                for other in self.workers:
                    if other is not worker:
                        other.learn(message)
            case Gather():
                self._nursery.start_soon(_answer, reply, self.gather)
            case ClearCache(tag=tag):
                self._nursery.start_soon(_answer, reply, partial(self.clear_cache, tag))
            case Listening() | Lines():
                self.hub.hear(worker, message)
            case ReloadNow():
                self._nursery.start_soon(_answer, reply, self.reload)
            case other_message:
                assert_never(other_message)

    async def gather(self) -> Gathered:
        """Return fresh views of all workers, also of those that drain; of a silent one, its last."""
        views: dict[HiredWorker, WorkerView | None] = {}

        async def take(worker: HiredWorker) -> None:
            views[worker] = await worker.take_view()

        everybody = [worker for worker in (*self._leaving, *self.workers) if worker.exit is None]
        async with trio.open_nursery() as nursery:
            for worker in everybody:
                nursery.start_soon(take, worker)
        known = tuple(
            view for worker in everybody if worker.exit is None and (view := views[worker]) is not None
        )
        state = "draining" if self.is_ending else "serving"
        children = self._supervisor.statistics()
        uptime_s = trio.current_time() - self._began_s
        parent = ParentView(os.getpid(), self.generation, state, rss_bytes(), children, uptime_s, footprint())
        return Gathered(known, parent, self._retired)

    async def clear_cache(self, tag: str | None = None) -> int:
        """Empty the caches of all workers, or forget what has a tag."""
        counts: list[int] = []

        async def clear(worker: HiredWorker) -> None:
            counts.append(await worker.clear_cache(tag))

        async with trio.open_nursery() as nursery:
            for worker in self.workers:
                nursery.start_soon(clear, worker)
        return sum(counts)

    async def watch(self) -> None:
        """Look for workers whose loop does not turn, for ever."""
        looked_at = trio.current_time()
        while True:
            await trio.sleep(WATCH_S)
            now = trio.current_time()
            was_away = now - looked_at > STALLED_S
            looked_at = now
            for worker in self.workers:
                if was_away:
                    worker.heard_at = now
                elif worker.ready_at is not None:
                    self._look_at(worker, now - worker.heard_at)
                    self._relieve(worker, now - worker.ready_at)

    def _look_at(self, worker: HiredWorker, silent_s: float) -> None:
        if silent_s >= HOPELESS_S:
            self._log.error("worker.killed", slot=worker.slot, pid=worker.pid, silent_s=round(silent_s, 1))
            worker.kill()
        elif silent_s >= STALLED_S and not worker.is_stalled:
            worker.is_stalled = True
            self._log.warning("worker.stalled", slot=worker.slot, pid=worker.pid, silent_s=round(silent_s, 1))
        elif silent_s < STALLED_S:
            worker.is_stalled = False

    def _relieve(self, worker: HiredWorker, age_s: float) -> None:
        """Replace a worker that has no memory left, one at a time."""
        is_spent = worker.view is not None and worker.view.pressure == "spent"
        if is_spent and age_s >= RELIEF_S and not self._is_relieving:
            self._is_relieving = True
            self._log.warning("worker.exhausted", slot=worker.slot, pid=worker.pid)
            self._nursery.start_soon(self._replace, worker)

    async def _replace(self, worker: HiredWorker) -> None:
        slot = self.slots[worker.slot]
        try:
            async with slot.busy:
                hired = await self.hire(worker.slot)
                if slot.current is worker and not self.is_ending:
                    slot.replace(hired)
                else:
                    hired.kill()
        except Unready as error:
            self._log.error("worker.unready", slot=worker.slot, error=str(error))
        finally:
            self._is_relieving = False

    async def end(self) -> None:
        """Drain all workers side by side, also those that were replaced; return when the last one has ended."""
        self.is_ending = True
        async with trio.open_nursery() as nursery:
            for slot in self.slots.values():
                nursery.start_soon(slot.drain)
            for worker in self._leaving:
                nursery.start_soon(end, worker, self._grace_s())


@asynccontextmanager
async def open_crew(
    config: Config, sockets: Sockets, log: Log, start: Start = start_worker
) -> AsyncIterator[Crew]:
    """Open a crew without workers; at the end of the block those that are left are killed."""
    async with trio.open_nursery() as nursery:
        async with open_supervisor(grace_s=LONG_DRAIN_S, on_event=_reporter(log)) as supervisor:
            yield Crew(config, sockets, log, supervisor, nursery, start)
        nursery.cancel_scope.cancel(reason="the router has ended")


def _reporter(log: Log) -> Callable[[SupervisionEvent], None]:
    def report(event: SupervisionEvent) -> None:
        if event.name == "actor.crashed":
            log.error("slot.crashed", slot=event.child, delay_s=round(event.delay_s, 3), error=str(event.error))

    return report
