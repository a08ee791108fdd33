"""A router that is one process: no parent, no slots; the same signals and reloads, as far as they can be done."""

import os
from functools import partial

import trio

from actors import ActorError, RealNetwork
from ucr import listening
from ucr.auth.file import credential_file
from ucr.config.model import Config
from ucr.config.places import state_folder
from ucr.config.plan import plan_of
from ucr.control import Control, ReloadResult
from ucr.hired import Sockets
from ucr.logs import Log, OpenLog
from ucr.messages import Rejected
from ucr.notify import Notifier
from ucr.reload import NotApplied, Reload, Reloader, told
from ucr.starting import Source
from ucr.views import Gathered
from ucr.watch import watch
from ucr.wishes import Announce, Wishes, obeying, repeat
from ucr.worker import Worker, open_worker


class ReloadingControl:
    """Another control, which can reload as well."""

    def __init__(self, inner: Control, reload: Reload) -> None:
        self._inner = inner
        self._reload = reload

    async def gather(self) -> Gathered:
        """Return the view of this process."""
        return await self._inner.gather()

    async def reload(self) -> ReloadResult:
        """Read the configuration again and follow it."""
        return await self._reload()

    async def clear_cache(self, tag: str | None = None) -> int:
        """Empty the cache of this process, or forget what has a tag."""
        return await self._inner.clear_cache(tag)


async def run(config: Config, sockets: Sockets, opened: OpenLog, source: Source, announce: Announce) -> None:
    """Serve in this process until told to end; raises `EndedAtOnce` at a second signal."""
    async with obeying() as wishes:
        port = listening.port_of(sockets)
        announce(config, port)
        serving = open_worker(
            config,
            listening.listeners(sockets),
            RealNetwork(),
            opened.log,
            reopen_log=opened.reopen,
            overhear=opened.overhear,
            folder=str(state_folder(os.environ)),
            signed_in=credential_file(os.environ),
        )
        async with serving as worker:
            wishes.is_starting = False
            await _serve(worker, source, wishes, opened.log, config.server.url(port))


async def _serve(worker: Worker, source: Source, wishes: Wishes, log: Log, url: str) -> None:
    notifier = Notifier(os.environ, os.getpid())
    apply = partial(follow, worker, log)
    reloader = Reloader(source.read, apply, lambda: worker.api.generation.number, log)
    reload: Reload = partial(told, notifier, reloader)
    if worker.api.control is not None:
        worker.api.control = ReloadingControl(worker.api.control, reload)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(repeat, wishes.reloads, reload)
        nursery.start_soon(watch, source.place, reload, source.signature)
        nursery.start_soon(notifier.feed)
        nursery.start_soon(worker.watch_memory, log)
        notifier.ready(f"serves {url} in one process")
        await wishes.end.wait()
        nursery.cancel_scope.cancel(reason="the router ends")
    notifier.stopping()
    await worker.drain(worker.config.server.grace_s)


async def follow(worker: Worker, log: Log, config: Config) -> int:
    """Follow a configuration as far as one process can; what it cannot change is told in the log."""
    plan = plan_of(worker.config, config)
    address = ("server.host or server.port",) if plan.rebinds else ()
    if keys := (*plan.restarts, *address):
        log.warning("config.warned", error=f"needs a new start: {', '.join(keys)}")
    try:
        await worker.follow(config)
    except Rejected as error:
        raise NotApplied(str(error)) from None
    except (ActorError, OSError, ValueError) as error:
        raise NotApplied(f"{type(error).__name__}: {error}") from None
    return worker.api.generation.number
