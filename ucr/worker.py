"""One serving process: the tree, the server in it, reloads, and the way down.

In a process of its own it begins in `ucr/worker_process.py` and goes on in `run`: its parent sends what it listens on,
and its configuration as the first message.
"""

import os
import random
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import trio

from actors import ActorError, Clear, Fact, Network, RealNetwork, RemoteRef, Reply
from ucr import custom_process, memory
from ucr.api import Api
from ucr.auth.file import CredentialFile, credential_file
from ucr.cache_secret import new_secret, secret_of
from ucr.caching import CLEAR_S, Answers, clear
from ucr.call import Router
from ucr.clock import LeanClock
from ucr.config.model import Config
from ucr.config.places import state_folder
from ucr.config.plan import Plan, plan_of
from ucr.connections import NoRoom
from ucr.control import LocalControl
from ucr.custom import CustomRouter, Start
from ucr.custom_seat import CustomSeat
from ucr.door import Door
from ucr.errors import ConfigError
from ucr.flight import Flights
from ucr.generation import Generation
from ucr.limits import ClientLimits
from ucr.link import ControlChild, Link
from ucr.listening import listeners as listeners_of
from ucr.listening import passed_on
from ucr.logs import Log, OpenLog
from ucr.messages import Applied, Lesson, Lines, Reconfigure, Rejected, RemedyFound, ToParent, Tune
from ucr.observe import feed
from ucr.observe.events import SENT_AWAY, Events
from ucr.observe.feed import Feed, Overhear
from ucr.observe.tracing import OpenTracing, open_tracing
from ucr.parent_control import ParentControl
from ucr.pressure import Pressure
from ucr.reporting import Reporter
from ucr.roster import Succession
from ucr.server import NoServer, Server, server_of
from ucr.side_calls import SideCalls
from ucr.snapshot import Viewer
from ucr.spreading import Spreader, remedy_of
from ucr.store_control import with_store
from ucr.store_spec import StoreAddress
from ucr.tree import Tree, open_tree
from ucr.ui.dashboard import Dashboard
from ucr.views import WorkerView

FLUSH_S = 1.0
"""Long enough for an error event to reach whoever reads; who does not read must not hold up the end."""

MOST_GENERATIONS = 64
"""How many former configurations may still have requests; with more, the next one is refused."""


class Worker:
    """What serves. `follow` changes the configuration under the requests that run."""

    def __init__(
        self,
        config: Config,
        tree: Tree,
        api: Api,
        server: Server,
        viewer: Viewer,
        workers: int,
        nursery: trio.Nursery,
        reopen_log: Callable[[Config], None],
        seat: CustomSeat,
        feed: Feed,
    ) -> None:
        self.config = config
        self.tree = tree
        self.api = api
        self._server = server
        self._viewer = viewer
        self._workers = workers
        # The nursery is that of `open_worker`: former generations are waited for in it.
        self._nursery = nursery
        self._reopen_log = reopen_log
        self._seat = seat
        self._feed = feed
        self._former = 0
        self._grace = trio.CancelScope()

    def __repr__(self) -> str:
        return f"<Worker of {self.config.source}: {self.api.generation!r}, {self._former} former>"

    async def follow(self, config: Config, generation: int | None = None) -> Plan:
        """Serve this configuration to every request from now on; those that run keep theirs.

        Raises, `Rejected` among others, without having changed anything. What the plan's `restarts` name stays
        as it was.
        """
        if self._former >= MOST_GENERATIONS:
            raise Rejected(f"requests of {self._former} former configurations are still running")
        self._reopen_log(config)
        plan = plan_of(self.config, config)
        present = self.api.generation.router
        try:
            custom = await self._seat.next(self.config, config, present.custom)
            succession = await self._succeeded(plan, config, custom, present)
            if self._nursery.cancel_scope.cancel_called:  # while this waited: the actors outlive what serves
                raise Rejected("the worker has ended")
        except BaseException:
            self._reopen_log(self.config)
            raise
        router = replace(present, config=config, children=succession.children, custom=custom)
        before, self.config = self.api.publish(router, generation), config
        self.api.pressure.limit_bytes = memory.limit_bytes(config, self._workers)
        self._former += 1
        self._nursery.start_soon(self._retire, before, succession)
        return plan

    async def _succeeded(
        self, plan: Plan, config: Config, custom: CustomRouter | None, present: Router
    ) -> Succession:
        """Let the providers follow; where they cannot, a custom router that was started for this is ended again."""
        try:
            return await self.tree.roster.follow(plan, config)
        except Exception:
            if custom is not None and custom is not present.custom:
                await self._seat.stop(custom)
            raise

    async def obey(self, order: Reconfigure) -> None:
        """Follow the parent's configuration under the parent's number."""
        await self.follow(order.config, order.generation)

    async def take_view(self) -> WorkerView:
        """Return how things are in this worker."""
        return await self._viewer.take()

    async def clear_cache(self, tag: str | None = None) -> int:
        """Empty the cache of this worker, or forget what has a tag; return how many answers it were."""
        return await clear(self.api.generation.router.answers, tag)

    async def watch_memory(self, log: Log) -> None:
        """Look after the memory of this process, which it has to itself, for ever."""
        await memory.Monitor(self.api.pressure, log, self.api.requests, self._let_go).run()

    async def _let_go(self) -> None:
        """Give up the answers in this process's memory; those in the store, or in a backing, take none of it."""
        self.tree.hot.clear()
        if self.tree.cache is not None:
            with suppress(ActorError):
                await self.tree.cache.ref.ask(
                    Clear(spares_backing=True), deadline=trio.current_time() + CLEAR_S
                )

    def learn(self, lesson: Lesson) -> None:
        """Believe what another worker found out."""
        now_s = trio.current_time()
        if isinstance(lesson, RemedyFound):
            healing = self.api.generation.router.healing
            healing.learn(lesson.provider, lesson.model, remedy_of(lesson), now_s)
        elif (child := self.tree.children.get(lesson.provider)) is not None:
            child.learn(Fact(lesson.kind, lesson.key, now_s + lesson.remaining_s))

    def hear(self, message: Tune | Lines) -> None:
        """Pass on what is logged here while somebody listens elsewhere; tell listeners here what others logged."""
        if isinstance(message, Lines):
            self._feed.hear_of_others(message.lines)
        else:
            self._feed.others_listen()

    async def _retire(self, generation: Generation, succession: Succession) -> None:
        await generation.wait_left()
        await self.tree.roster.retire(succession.retired)
        custom = generation.router.custom
        if custom is not None and custom is not self.api.generation.router.custom:
            await self._seat.stop(custom)
        self._former -= 1

    async def drain(self, grace_s: float) -> None:
        """Take nothing new; open requests get the grace time, then an error in their own dialect."""
        self.hurry(grace_s)
        self._feed.close()
        self.api.is_draining = True
        await self._server.drain()
        with trio.move_on_after(FLUSH_S):
            await self._feed.wait_left()
        with self._grace:
            await self.api.wait_idle()
            return
        self.api.interrupt()
        with trio.move_on_after(FLUSH_S):
            await self.api.wait_idle()

    def hurry(self, grace_s: float) -> None:
        """Shorten the grace time of a drain that has begun, or is to begin."""
        self._grace.deadline = min(self._grace.deadline, trio.current_time() + grace_s)


def _keep_log(_config: Config) -> None:
    pass


def _tell(log: Log, error: BaseException) -> None:
    """Log what ended a connection, or keeps others from coming."""
    if isinstance(error, NoRoom):
        log.warning("accept.paused", error=str(error))
    elif isinstance(error, ConfigError):
        log.error("config.rejected", error=str(error))
    else:
        log.error("connection.crashed", error=repr(error))


def _answers_of(config: Config, tree: Tree, secret: bytes, pressure: Pressure) -> Answers | None:
    return None if tree.answers is None else Answers(tree.answers, secret, config.cache, tree.hot, pressure)


@asynccontextmanager
async def open_worker(
    config: Config,
    listeners: Sequence[trio.abc.Listener[Any]],
    network: Network,
    log: Log,
    *,
    worker: str = "0",
    store: StoreAddress | None = None,
    reopen_log: Callable[[Config], None] = _keep_log,
    overhear: Overhear = feed.deaf,
    parent: RemoteRef[ToParent] | None = None,
    dice: Callable[[], float] = random.random,
    start_custom: Start = custom_process.start,
    folder: str | None = None,
    signed_in: CredentialFile | None = None,
    unix_time: Callable[[], float] = time.time,
    trace: OpenTracing | None = None,
) -> AsyncIterator[Worker]:
    """Serve as long as the block, without listeners through the API alone; leaving it ends what is open. Accounts are in `folder`."""
    spreader = Spreader(parent)
    secret = secret_of(config.cache, new_secret()) if store is None else store.secret
    surroundings = (network, log, worker, store, spreader.spread_fact, dice)
    opening = open_tree(config, *surroundings, clock=unix_time, secret=secret, folder=folder)
    async with (trace or open_tracing)(config, worker, log) as tracing, opening as tree:
        workers = 1 if store is None else store.workers
        pressure = Pressure(memory.limit_bytes(config, workers))
        answers = _answers_of(config, tree, secret, pressure)
        seat = CustomSeat(tree.supervisor, tree.metrics.ref, log, start_custom)
        router = Router(
            *(config, tree.children, tree.board, unix_time, worker),
            answers=answers,
            flights=Flights() if config.cache.enabled and config.cache.coalesce else None,
            check_memory=pressure.check,
            dice=dice,
            custom=await seat.first(config),
            network=network,
            vault=tree.vault,
            on_remedy=spreader.spread_remedy,
            signed_in=signed_in,
            side_calls=SideCalls(tree.supervisor, network),
        )
        reporter = Reporter(log, tree.metrics.ref, tree.accounts, tree.journal, tracing)
        api = Api(router, ClientLimits(tree.borrower, tree.purse, unix_time), log, reporter, pressure)
        await tree.supervisor.start(reporter)
        viewer = Viewer(tree, worker, api.requests, router.gaps, reporter.tell)
        local = LocalControl(viewer.take, partial(clear, answers))
        api.control = control = with_store(local if parent is None else ParentControl(parent, local), store)
        api.dashboard = Dashboard(secret, None if folder is None else Path(folder), unix_time)
        live = Feed(overhear, control.gather, unix_time, feed.alone if parent is None else parent.offer)
        await tree.supervisor.start(live)
        events = Events(api, live, partial(tree.metrics.ref.offer, SENT_AWAY))
        server = server_of(config, api, partial(_tell, log), events.serve) if listeners else NoServer()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(router.timers.run)
            nursery.start_soon(router.pump.run)
            nursery.start_soon(server.serve, list(listeners))
            log.info("worker.started", worker=worker, providers=len(tree.children))
            yield Worker(config, tree, api, server, viewer, workers, nursery, reopen_log, seat, live)
            nursery.cancel_scope.cancel(reason="drained")
    log.info("worker.stopped", worker=worker)


async def serve(
    config: Config,
    listeners: Sequence[trio.abc.Listener[Any]],
    network: Network,
    log: Log,
    stopped: Callable[[], Awaitable[None]],
    *,
    worker: str = "0",
) -> None:
    """Serve until `stopped` returns, then drain: open requests get the grace time, then an error event."""
    async with open_worker(config, listeners, network, log, worker=worker) as running:
        await stopped()
        await running.drain(running.config.server.grace_s)


def run(slot: int, control: socket.socket) -> None:
    """Wait for what to listen on, then work until the parent says so, or is gone."""
    sockets = passed_on(control)
    if sockets is not None:
        trio.run(work, slot, control, sockets, clock=LeanClock())


async def work(slot: int, control: socket.socket, sockets: tuple[socket.socket, ...]) -> None:
    """Wait for a configuration, serve it and those that follow, drain, and return."""
    link = Link(trio.SocketStream(trio.socket.from_stdlib_socket(control)))
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(link.run)
            nursery.start_soon(link.leave_at_signal, signals)
            order = await link.first()
            if order is not None:
                await _serve_linked(slot, link, order, listeners_of(sockets))
            nursery.cancel_scope.cancel(reason="the worker has drained")


async def _serve_linked(
    slot: int, link: Link, order: tuple[Reconfigure, Reply[Applied]], listeners: Sequence[Door]
) -> None:
    config = order[0].config
    opened = OpenLog(config, partial(datetime.now, UTC))
    serving = open_worker(
        config,
        listeners,
        RealNetwork(),
        opened.log,
        worker=str(slot),
        store=order[0].store,
        reopen_log=opened.reopen,
        overhear=opened.overhear,
        parent=link.parent,
        folder=str(state_folder(os.environ)),
        signed_in=credential_file(os.environ),
    )
    async with serving as running:
        running.api.generation.number = order[0].generation
        link.leave.when_hurried(running.hurry)
        await running.tree.supervisor.start(ControlChild(link, running))
        memory.settle()
        order[1].answer(Applied(order[0].generation))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(running.watch_memory, opened.log)
            nursery.start_soon(link.beat, running.take_view)
            await link.leave.wanted.wait()
            await running.drain(link.leave.grace_s)
            nursery.cancel_scope.cancel(reason="drained")
    await link.wait_flushed()
