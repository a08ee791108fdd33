"""The store process: what must be counted once for all workers, and the cache that they share.

    python -m ucr.store LISTENER LIFELINE SPEC

The listener is a Unix socket that the parent has bound and keeps: while the store is being replaced, workers wait
in its backlog. The lifeline is the end of a pipe that closes with the parent. Nothing here is kept beyond the
process: workers say what they hold, and a lost cache is a miss.
"""

import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import msgspec
import trio

from actors import (
    Bridge,
    Cache,
    CacheMessage,
    CacheSpec,
    Declare,
    Leave,
    Lender,
    LimitsMessage,
    Ref,
    SupervisionEvent,
    WireError,
    greet,
    open_supervisor,
)
from ucr.logs import Log, stdout_log
from ucr.store_wire import CACHE_GREETING, LIMITS_GREETING, cache_codec, limits_codec

GREETING_S = 5.0
FIRST_TICKET_BITS = 40


@dataclass(frozen=True, slots=True)
class StoreSpec:
    """`generation` counts the stores of one parent; `awaited` workers knew the one before this."""

    generation: int = 1
    awaited: int = 0
    log_level: str = "info"
    cache: CacheSpec = field(default_factory=CacheSpec)


class BorrowerRef(Ref[LimitsMessage]):
    """The lender as one connection sees it: it notes who speaks, so that the end of the connection is his end."""

    __slots__ = ("_declared",)

    def __init__(self, lender: Lender) -> None:
        super().__init__(lender.mailbox)
        self._declared: Declare | None = None

    def tell(self, message: LimitsMessage) -> None:
        if isinstance(message, Declare):
            self._declared = message
        super().tell(message)

    def leave(self) -> None:
        """Say that the connection has ended."""
        if self._declared is not None:
            super().tell(Leave(self._declared.borrower, self._declared.session))


class Store:
    """The actors of the store, and the connections to them."""

    def __init__(self, lender: Lender, cache: Cache, log: Log) -> None:
        self.lender = lender
        self.cache = cache
        self._log = log

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection to its end; whatever comes of it, the store goes on."""
        known = {LIMITS_GREETING: self._lend, CACHE_GREETING: self._keep}
        served = None
        try:
            with trio.move_on_after(GREETING_S):
                served = await greet(stream, known)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        if served is None:
            return await trio.aclose_forcefully(stream)
        try:
            await served(stream)
        except WireError as error:
            self._log.warning("store.refused", error=str(error))
        return None

    async def _lend(self, stream: trio.abc.Stream) -> None:
        borrower = BorrowerRef(self.lender)
        try:
            await Bridge[LimitsMessage]("borrower", stream, limits_codec(), borrower).run()
        finally:
            borrower.leave()

    async def _keep(self, stream: trio.abc.Stream) -> None:
        await Bridge[CacheMessage]("cached", stream, cache_codec(), self.cache.ref).run()


@asynccontextmanager
async def open_store(spec: StoreSpec, log: Log) -> AsyncIterator[Store]:
    """Run the actors of a store in the block."""

    def report(event: SupervisionEvent) -> None:
        log.warning(event.name, actor=event.child, delay_s=event.delay_s, error=repr(event.error))

    awaited = spec.awaited if spec.generation > 1 else 0
    async with open_supervisor(grace_s=0, on_event=report) as supervisor:
        lender = await supervisor.start(Lender(awaited=awaited))
        cache = await supervisor.start(Cache(spec.cache, first_ticket=spec.generation << FIRST_TICKET_BITS))
        yield Store(lender, cache, log)


async def serve(spec: StoreSpec, listener: trio.SocketListener, lifeline: int, log: Log) -> None:
    """Serve until SIGTERM, or until the parent is gone."""
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with open_store(spec, log) as store, trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, store.serve, [listener])
            nursery.start_soon(_end_with, nursery.cancel_scope, lifeline)
            log.info("store.started", generation=spec.generation, pid=os.getpid())
            async for number in signals:
                if number == signal.SIGTERM:
                    break
            nursery.cancel_scope.cancel(reason="told to stop")


async def _end_with(scope: trio.CancelScope, lifeline: int) -> None:
    """End the store when the parent, who holds the other end of the pipe, is gone."""
    async with trio.lowlevel.FdStream(lifeline) as pipe:
        while await pipe.receive_some(1):
            pass
    scope.cancel(reason="the parent is gone")


def main(arguments: list[str]) -> None:
    """Run the store of these arguments."""
    listener, lifeline, written = arguments
    spec = msgspec.json.decode(written.encode(), type=StoreSpec)
    now: Callable[[], datetime] = partial(datetime.now, UTC)
    trio.run(_main, int(listener), int(lifeline), spec, stdout_log(spec.log_level, now))


async def _main(descriptor: int, lifeline: int, spec: StoreSpec, log: Log) -> None:
    bound = trio.socket.fromfd(descriptor, trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
    os.close(descriptor)
    await serve(spec, trio.SocketListener(bound), lifeline, log)


if __name__ == "__main__":
    main(sys.argv[1:])
