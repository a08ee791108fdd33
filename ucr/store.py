"""The store process: what must be counted once for all workers, and the cache and the vault that they share.

    python -m ucr.store PARENT LISTENER SPEC

The listener is a Unix socket that the parent has bound and keeps: while the store is being replaced, workers wait
in its backlog. The specification comes through a pipe, because it may hold secrets, and arguments are seen by all.
Nothing here is kept beyond the process, but for the accounts, the journal and what stands behind the cache: workers say what they
hold, and a lost cache is a miss.
"""

import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import TypeVar, cast

import msgspec
import trio

from actors import (
    Bridge,
    Cache,
    CacheMessage,
    CacheSpec,
    Declare,
    Gone,
    Leave,
    Lender,
    LimitsMessage,
    Lookup,
    Network,
    Question,
    RealNetwork,
    Ref,
    Reply,
    SupervisionEvent,
    Supervisor,
    WireError,
    greet,
    open_supervisor,
)
from actors.purse import DeclareParts, SpenderLeft
from ucr import hygiene
from ucr.bookkeeping import BooksSpec, start_books
from ucr.books import Books, BooksMessage
from ucr.cache_backing import backing_of, numbers_of, start_cache
from ucr.cache_secret import new_secret
from ucr.journal.entry import JournalMessage
from ucr.journal.keeping import Journal, spec_of, start_journal
from ucr.logs import Log, stdout_log
from ucr.memory import rss_bytes
from ucr.observe.footprint import footprint
from ucr.store_spec import StoreSpec
from ucr.store_wire import (
    BOOKS_GREETING,
    CACHE_GREETING,
    JOURNAL_GREETING,
    LIMITS_GREETING,
    STATUS_GREETING,
    VAULT_GREETING,
    books_codec,
    cache_codec,
    journal_codec,
    limits_codec,
    vault_codec,
)
from ucr.vault.keeper import Keeper, keeper_spec
from ucr.vault.messages import VaultMessage
from ucr.views import CACHE, LIMITS, StoreView

Answer = TypeVar("Answer")

GREETING_S = 5.0
PARENT_S = 0.5
FIRST_TICKET_BITS = 40


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


class SpenderRef(Ref[BooksMessage]):
    """The books as one connection sees them: it notes who speaks, as `BorrowerRef` does."""

    __slots__ = ("_declared",)

    def __init__(self, books: Books) -> None:
        super().__init__(books.mailbox)
        self._declared: DeclareParts | None = None

    def tell(self, message: BooksMessage) -> None:
        if isinstance(message, DeclareParts):
            self._declared = message
        super().tell(message)

    def leave(self) -> None:
        """Say that the connection has ended."""
        if self._declared is not None:
            super().tell(SpenderLeft(self._declared.spender, self._declared.session))


class FillerRef(Ref[CacheMessage]):
    """The cache as one connection sees it: what its askers were to fill is forfeited with its end."""

    __slots__ = ("_filler",)

    def __init__(self, cache: Cache, filler: str) -> None:
        super().__init__(cache.mailbox)
        self._filler = filler

    def ask_nowait(self, message: Question[Answer]) -> Reply[Answer]:
        if isinstance(message, Lookup):
            looking = replace(message, filler=self._filler)
            return cast(Reply[Answer], super().ask_nowait(looking))
        return super().ask_nowait(message)

    def leave(self) -> None:
        """Say that the connection has ended."""
        super().tell(Gone(self._filler))


class Store:
    """The actors of the store, and the connections to them."""

    def __init__(
        self,
        lender: Lender,
        cache: Cache,
        books: Books,
        keeper: Keeper,
        journal: Journal,
        log: Log,
        spec: StoreSpec,
        supervisor: Supervisor,
    ) -> None:
        self.lender = lender
        self.cache = cache
        self.books = books
        self.keeper = keeper
        self.journal = journal
        self._log = log
        self._spec = spec
        self._supervisor = supervisor
        self._connections = count(1)

    def view(self) -> StoreView:
        """Return the view of now."""
        return StoreView(
            os.getpid(),
            self._spec.generation,
            rss_bytes(),
            self._supervisor.statistics(),
            asdict(self.lender.statistics()),
            asdict(self.cache.statistics()) | numbers_of(self.cache),
            asdict(self.books.statistics()),
            asdict(self.journal.statistics()),
            footprint(),
            state=asdict(self.keeper.statistics()),
        )

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection to its end; whatever comes of it, the store goes on."""
        known = {
            LIMITS_GREETING: self._lend,
            CACHE_GREETING: self._keep,
            BOOKS_GREETING: self._account,
            VAULT_GREETING: self._hold,
            JOURNAL_GREETING: self._write,
            STATUS_GREETING: self._show,
        }
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

    async def _account(self, stream: trio.abc.Stream) -> None:
        spender = SpenderRef(self.books)
        try:
            await Bridge[BooksMessage]("spender", stream, books_codec(), spender).run()
        finally:
            spender.leave()

    async def _write(self, stream: trio.abc.Stream) -> None:
        await Bridge[JournalMessage]("scribe", stream, journal_codec(), self.journal.ref).run()

    async def _keep(self, stream: trio.abc.Stream) -> None:
        filler = FillerRef(self.cache, f"connection {next(self._connections)}")
        try:
            await Bridge[CacheMessage]("cached", stream, cache_codec(), filler).run()
        finally:
            filler.leave()

    async def _hold(self, stream: trio.abc.Stream) -> None:
        await Bridge[VaultMessage]("vault", stream, vault_codec(), self.keeper.ref).run()

    async def _show(self, stream: trio.abc.Stream) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await stream.send_all(msgspec.json.encode(self.view()))
        await trio.aclose_forcefully(stream)


@asynccontextmanager
async def open_store(
    spec: StoreSpec, log: Log, network: Network | None = None, clock: Callable[[], float] = time.time
) -> AsyncIterator[Store]:
    """Run the actors of a store in the block. The network leads to what stands behind the cache."""
    network = RealNetwork() if network is None else network

    def report(event: SupervisionEvent) -> None:
        log.warning(event.name, actor=event.child, delay_s=event.delay_s, error=repr(event.error))

    awaited = spec.awaited if spec.generation > 1 else 0
    async with open_supervisor(grace_s=0, on_event=report) as supervisor:
        lender = await supervisor.start(Lender(LIMITS, awaited=awaited))
        kept = CacheSpec(spec.ttl_s, spec.max_entries, spec.max_bytes, fill_s=spec.fill_s)
        is_shared = spec.cache.scope == "node"
        backing = backing_of(spec.cache, new_secret(), network, clock, log) if is_shared else None
        first_ticket = spec.generation << FIRST_TICKET_BITS
        cache = await start_cache(supervisor, kept, CACHE, backing, first_ticket=first_ticket)
        accounts = BooksSpec(spec.folder, spec.keep_s, spec.usage_bytes, spec.generation, spec.awaited)
        books = await start_books(supervisor, accounts, clock, log)
        keeper = await supervisor.start(Keeper(keeper_spec(spec.state)))
        journal = await start_journal(supervisor, spec_of(spec.journal, spec.folder), clock, log)
        yield Store(lender, cache, books, keeper, journal, log, spec, supervisor)


async def serve(spec: StoreSpec, listener: trio.SocketListener, parent: int, log: Log) -> None:
    """Serve until SIGTERM, or until the parent is gone."""
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with open_store(spec, log) as store, trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, store.serve, [listener])
            nursery.start_soon(_end_with, nursery.cancel_scope, parent)
            log.info("store.started", generation=spec.generation, pid=os.getpid())
            async for number in signals:
                if number == signal.SIGTERM:
                    break
            nursery.cancel_scope.cancel(reason="told to stop")


async def _end_with(scope: trio.CancelScope, parent: int) -> None:
    """End the store soon after its parent, also where the system does not tell."""
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells
        await trio.sleep(PARENT_S)
    scope.cancel(reason="the parent is gone")


def main(arguments: list[str]) -> None:
    """Run the store of these arguments."""
    parent, listener, told = arguments
    hygiene.ignore_terminal()
    hygiene.die_with(int(parent))
    hygiene.keep_memory_private(os.environ)
    with os.fdopen(int(told), "rb") as pipe:
        spec = msgspec.json.decode(pipe.read(), type=StoreSpec)
    now: Callable[[], datetime] = partial(datetime.now, UTC)
    trio.run(_main, int(listener), int(parent), spec, stdout_log(spec.log_level, now))


async def _main(descriptor: int, parent: int, spec: StoreSpec, log: Log) -> None:
    bound = trio.socket.fromfd(descriptor, trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
    os.close(descriptor)
    await serve(spec, trio.SocketListener(bound), parent, log)


if __name__ == "__main__":
    main(sys.argv[1:])
