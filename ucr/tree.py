"""The actor tree of a worker: it lives longer than the server, and closes after it.

The metrics come up first and go down last, so that they count what the others do at their end.
"""

import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

import trio

from actors import (
    Board,
    Borrower,
    Cache,
    CacheMessage,
    CacheSpec,
    Fact,
    Hot,
    Lender,
    Metrics,
    Network,
    Provider,
    ProviderEvent,
    Ref,
    Shares,
    SupervisionEvent,
    Supervisor,
    open_supervisor,
)
from actors.clock import clock as now_of_run
from actors.purse import Purse
from ucr import metering, upstream
from ucr.bookkeeping import BooksSpec, start_books
from ucr.cache_backing import ServedBacking, backing_of, start_cache
from ucr.caching import HotTier
from ucr.clerk import Clerk
from ucr.config.model import Cache as CacheConfig
from ucr.config.model import Config
from ucr.config.model import Provider as ProviderConfig
from ucr.config.plan import plan_of
from ucr.hot_follower import HotFollower
from ucr.journal.entry import Entry, Noted
from ucr.journal.keeping import MAX_WAITING_BYTES, spec_of, start_journal
from ucr.logs import Log
from ucr.roster import Children, Roster
from ucr.store_link import books_link, cache_link, journal_link, limits_link, vault_link
from ucr.store_spec import DAY_S, StoreAddress
from ucr.usage import UsageRow, Used
from ucr.vault.keeper import Keeper, keeper_spec
from ucr.vault.vault import Vault
from ucr.views import CACHE, LIMITS

CLERK = "ucr:clerk"
JOURNAL_CLERK = "ucr:journal-clerk"
_CLERK_BYTES = 2_500_000
NOTHING = Config()
METRICS = "ucr:metrics"
"""The name of the metrics' actor, which no provider can have."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The running providers, the board on which they publish their state, the other actors, and the hot tier."""

    supervisor: Supervisor
    metrics: Metrics
    cache: Cache | None
    roster: Roster
    board: Board
    borrower: Borrower
    answers: Ref[CacheMessage] | None
    hot: HotTier
    purse: Purse
    accounts: Clerk[UsageRow] | None
    journal: Clerk[Entry] | None
    keeper: Keeper | None
    vault: Vault | None
    store: StoreAddress | None = None

    @property
    def children(self) -> Children:
        """The providers' actors by the ids of the providers."""
        return self.roster.children


def _keep(_provider: str, _fact: Fact) -> None:
    pass


@asynccontextmanager
async def open_tree(
    config: Config,
    network: Network,
    log: Log,
    worker: str = "0",
    store: StoreAddress | None = None,
    on_fact: Callable[[str, Fact], None] = _keep,
    dice: Callable[[], float] = random.random,
    clock: Callable[[], float] = trio.current_time,
    secret: bytes = b"",
    folder: str | None = None,
) -> AsyncIterator[Tree]:
    """Start everything, with a child for each enabled provider; leaving the block stops it in reverse order.

    `store` is there when several workers share limits, a cache and accounts; `on_fact` hears, with the provider's id,
    what was found out about a key. `clock` is the one on the wall, and `secret` that of the cache: what stands behind
    the cache needs both. A worker without a store keeps its accounts and its journal in
    `folder`, where there is one.
    """
    board: Board = {}

    def make(provider: ProviderConfig, name: str, place: Board) -> Provider:
        spec = replace(upstream.spec_of(provider), id=name)
        on_event, learned = partial(tell, log, provider.id), partial(on_fact, provider.id)
        made = partial(Provider, spec, network, place, rng=dice, on_event=on_event, on_fact=learned)
        if shares is None:
            return made()
        sharing = made(on_starved=partial(shares.starved, provider.id))
        shares.add(provider.id, sharing)
        return sharing

    async with open_supervisor(
        grace_s=config.server.grace_s, rng=dice, on_event=partial(_report, log)
    ) as supervisor:
        metrics = await supervisor.start(Metrics(METRICS, bounds=dict(metering.BOUNDS)))
        backed = partial(backing_of, config.cache, secret, network, clock, log)
        hot = hot_tier(config.cache)
        cache, answers = await _start_cache(supervisor, config, store, backed, hot)
        borrower, shares = await _start_limits(supervisor, worker, store, log)
        purse, accounts = await _start_books(supervisor, config, worker, store, log, folder, clock)
        journal = await _start_journal(supervisor, config, store, log, folder, clock)
        keeper, vault = await _start_vault(supervisor, config, store)
        roster = Roster(supervisor, board, make)
        await roster.follow(plan_of(NOTHING, config), config)
        yield Tree(
            supervisor,
            metrics,
            cache,
            roster,
            board,
            borrower,
            answers,
            hot,
            purse,
            accounts,
            journal,
            keeper,
            vault,
            store,
        )


def _report(log: Log, event: SupervisionEvent) -> None:
    log.warning(event.name, actor=event.child, delay_s=event.delay_s, error=repr(event.error))


async def _start_cache(
    supervisor: Supervisor,
    config: Config,
    store: StoreAddress | None,
    backed: Callable[[], ServedBacking | None],
    hot: HotTier,
) -> tuple[Cache | None, Ref[CacheMessage] | None]:
    """Start the cache of this worker, or the link to the one that all workers share; return what is used."""
    if not config.cache.enabled:
        return None, None
    if store is not None and config.cache.scope == "node":
        link = await supervisor.start(cache_link(store.path))
        if config.cache.backend == "redis":
            await supervisor.start(HotFollower(link.ref, hot.clear))
        return None, link.ref
    cache = await start_cache(supervisor, _spec_of(config), CACHE, backed(), on_cleared=hot.clear)
    return cache, cache.ref


async def _start_limits(
    supervisor: Supervisor, worker: str, store: StoreAddress | None, log: Log
) -> tuple[Borrower, Shares | None]:
    """Start what keeps the limits: alone, or with others through the store."""
    if store is None:
        lender = await supervisor.start(Lender(LIMITS))
        borrower = await supervisor.start(Borrower(worker, name="ucr:borrower"))
        borrower.attach(lender.ref)
        return borrower, None
    name = f"{worker}-{os.getpid()}"
    borrower = await supervisor.start(Borrower(name, name="ucr:borrower", borrowers=store.workers))
    await supervisor.start(limits_link(store.path, borrower, log))
    return borrower, await supervisor.start(Shares(borrower, "ucr:shares"))


async def _start_books(
    supervisor: Supervisor,
    config: Config,
    worker: str,
    store: StoreAddress | None,
    log: Log,
    folder: str | None,
    unix_time: Callable[[], float],
) -> tuple[Purse, Clerk[UsageRow] | None]:
    """Start what keeps the accounts, alone or in the store; without a place to keep requests none is noted."""
    purse = Purse(f"{worker}-{os.getpid()}", unix_time)
    if store is None:
        usage = config.usage
        spec = BooksSpec(folder, usage.keep_days * DAY_S, usage.max_bytes)
        ref = (await start_books(supervisor, spec, unix_time, log)).ref
        purse.attach(ref)
    else:
        ref = (await supervisor.start(books_link(store.path, purse))).ref
    if not config.usage.enabled or (store is None and folder is None):
        return purse, None
    clerk = Clerk[UsageRow](ref, CLERK, Used, _CLERK_BYTES)
    return purse, await supervisor.start(clerk)


async def _start_journal(
    supervisor: Supervisor,
    config: Config,
    store: StoreAddress | None,
    log: Log,
    folder: str | None,
    unix_time: Callable[[], float],
) -> Clerk[Entry] | None:
    """Start what keeps the journal, alone or in the store; without a place to keep it nothing is noted."""
    if not config.journal.enabled or (store is None and folder is None):
        return None
    if store is None:
        ref = (await start_journal(supervisor, spec_of(config.journal, folder), unix_time, log)).ref
    else:
        ref = (await supervisor.start(journal_link(store.path))).ref
    clerk = Clerk[Entry](ref, JOURNAL_CLERK, Noted, MAX_WAITING_BYTES)
    return await supervisor.start(clerk)


async def _start_vault(
    supervisor: Supervisor, config: Config, store: StoreAddress | None
) -> tuple[Keeper | None, Vault | None]:
    """Start the keeper of this worker's vault, or the link to the one that all workers share; return what is used."""
    if not config.state.enabled:
        return None, None
    if store is not None:
        return None, Vault((await supervisor.start(vault_link(store.path))).ref)
    keeper = await supervisor.start(Keeper(keeper_spec(config.state)))
    return keeper, Vault(keeper.ref)


def _spec_of(config: Config) -> CacheSpec:
    cache = config.cache
    return CacheSpec(cache.ttl_s, cache.max_entries, cache.max_bytes, fill_s=config.timeouts.total_s)


def hot_tier(cache: CacheConfig) -> HotTier:
    """Return the tier of this process, which keeps nothing where there is no cache."""
    entries = cache.hot_entries if cache.enabled else 0
    return Hot(cache.hot_ttl_s, entries, cache.hot_max_bytes, now_of_run())


def tell(log: Log, provider: str, event: ProviderEvent) -> None:
    """Write what happened to a provider into the log."""
    say = log.warning if event.name in ("breaker.opened", "key.cooled") else log.info
    for_s = None if event.for_s is None else round(event.for_s, 3)
    if event.name == "key.cooled":
        say(event.name, provider=provider, key=event.key, kind=event.kind, for_s=for_s)
    else:
        say(event.name, provider=provider, model=event.model, for_s=for_s, failures=event.failures)
