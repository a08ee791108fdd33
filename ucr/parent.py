"""The parent: it owns the sockets, the slots, the signals and the configuration file, and serves nothing itself.

What it does not import it cannot stumble over: no HTTP client, server, parser or cache is loaded here.
"""

import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import trio

from actors import open_supervisor
from ucr import listening
from ucr.attendant import INTENSITY, Attendant
from ucr.begun import Begun
from ucr.config.model import Config
from ucr.config.plan import plan_of
from ucr.crew import Crew, open_crew, wanted_workers
from ucr.hired import Sockets, StartWorker, Unready, start_worker
from ucr.logs import OpenLog
from ucr.messages import Rejected
from ucr.notify import Notifier
from ucr.reload import NotApplied, Reloader, exclusively, told
from ucr.starting import Source
from ucr.store_seat import open_place
from ucr.store_spec import StoreAddress
from ucr.watch import watch
from ucr.wishes import Announce, Wishes, obeying, repeat

TakeStore = Callable[[int, Config], Awaitable[StoreAddress]]


def _unheard(_config: Config) -> None:
    pass


class Parent:
    """A crew, and what changes its configuration. `apply` is what a reload does with a configuration.

    `take_store` starts the store for so many workers, or returns the one that there is; `follow` is told of each
    configuration that is served.
    """

    def __init__(
        self, crew: Crew, opened: OpenLog, take_store: TakeStore, follow: Callable[[Config], None] = _unheard
    ) -> None:
        self.crew = crew
        self._opened = opened
        self._take_store = take_store
        self._follow = follow

    def __repr__(self) -> str:
        return f"<Parent of {self.crew!r}>"

    async def start(self) -> None:
        """Hire the first workers; raises `Unready` when one does not start."""
        self.crew.store = await self._store_for(self.crew.config)
        await self.crew.resize(wanted_workers(self.crew.config))

    async def _store_for(self, config: Config) -> StoreAddress | None:
        """Return the store of workers under this configuration: what one alone counts, several would each count."""
        workers = wanted_workers(config)
        if self.crew.store is None and workers == 1:
            return None
        return await self._take_store(workers, config)

    async def apply(self, config: Config) -> int:
        """Put a configuration to work everywhere or nowhere: live where that can be, else in new workers.

        Raises `ConfigError` when a new address cannot be had, `NotApplied` when a worker does not take it over.
        """
        crew = self.crew
        plan = plan_of(crew.config, config)
        before, store = crew.sockets, crew.store
        sockets = listening.bind(config) if plan.rebinds else crew.sockets
        try:
            crew.store = await self._store_for(config)
            if plan.rebinds or plan.restarts or crew.store is not store:
                await crew.succeed(config, sockets)
            else:
                await crew.follow(config)
        except (Unready, Rejected) as error:
            crew.store = store
            if plan.rebinds:
                _close(sockets)
            raise NotApplied(str(error)) from None
        if plan.rebinds:
            _close(before)
        await self._settle(config)
        return crew.generation

    async def _settle(self, config: Config) -> None:
        """Do what cannot fail any more, or whose failure leaves a router that works."""
        log = self._opened.log
        self._follow(config)
        try:
            self._opened.reopen(config)
            await self.crew.resize(wanted_workers(config))
        except OSError as error:
            log.error("config.warned", error=f"the parent's log: {error}")
        except Unready as error:
            log.error("worker.unready", error=str(error))


async def run(
    config: Config,
    sockets: Sockets,
    opened: OpenLog,
    source: Source,
    announce: Announce,
    begun: Begun | None = None,
) -> None:
    """Run a router of several processes until it is told to end. `announce` is called when all are ready.

    `begun` is the first worker's process, where it was started ahead.

    The sockets are closed at the end. Raises `Unready` when a first worker does not start, and `EndedAtOnce`.
    """
    start = start_worker if begun is None else StartWorker(begun)
    async with obeying() as wishes:
        try:
            async with (
                open_place(os.environ, config, opened.log) as place,
                open_crew(config, sockets, opened.log, start) as crew,
            ):
                crew.hub.overhear = opened.overhear
                place.config, place.workers = lambda: crew.config, lambda: len(crew.workers)
                parent = Parent(crew, opened, place.take, place.follow)
                await parent.start()
                wishes.is_starting = False
                announce(config, listening.port_of(sockets))
                await _serve(parent, source, wishes, opened)
        finally:
            _close(sockets)
        opened.log.info("router.stopped")


async def _serve(parent: Parent, source: Source, wishes: Wishes, opened: OpenLog) -> None:
    """Do what is wished until the end is, then drain."""
    crew = parent.crew
    notifier = Notifier(os.environ, os.getpid())
    reloader = Reloader(source.read, parent.apply, lambda: crew.generation, opened.log)
    crew.reload = partial(told, notifier, reloader)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(crew.watch)
        nursery.start_soon(repeat, wishes.renewals, partial(exclusively, reloader.lock, crew.renew))
        nursery.start_soon(repeat, wishes.reloads, crew.reload)
        nursery.start_soon(watch, source.place, crew.reload, source.signature)
        nursery.start_soon(notifier.feed)
        url = crew.config.server.url(listening.port_of(crew.sockets))
        notifier.ready(f"serves {url} with {len(crew.slots)} workers")
        await wishes.end.wait()
        nursery.cancel_scope.cancel(reason="the router ends")
    notifier.stopping()
    _close(crew.sockets)
    opened.log.info("router.draining", grace_s=crew.config.server.grace_s)
    await crew.end()


def _close(sockets: Sockets) -> None:
    for bound in sockets:
        bound.close()


@asynccontextmanager
async def demo_process() -> AsyncIterator[str]:
    """Run the demo provider in a process of its own, as long as the block; yield its base URL."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        bound.setblocking(False)
        arguments = (str(os.getpid()), str(bound.fileno()))
        async with open_supervisor(intensity=INTENSITY) as supervisor:
            await supervisor.start(Attendant("demo", "ucr.demo", arguments, (bound.fileno(),)))
            yield f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
