"""The actor tree of a worker: it lives longer than the server, and closes after it.

The metrics come up first and go down last, so that they count what the others do at their end.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from actors import (
    Board,
    Borrower,
    Cache,
    CacheSpec,
    Lender,
    Metrics,
    Network,
    Provider,
    ProviderEvent,
    SupervisionEvent,
    Supervisor,
    open_supervisor,
)
from ucr import metering, upstream
from ucr.config.model import Config
from ucr.config.model import Provider as ProviderConfig
from ucr.config.plan import plan_of
from ucr.logs import Log
from ucr.roster import Children, Roster
from ucr.views import CACHE

NOTHING = Config()
METRICS = "ucr:metrics"
"""The name of the metrics' actor, which no provider can have."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The running providers, the board on which they publish their state, and the other actors."""

    supervisor: Supervisor
    metrics: Metrics
    cache: Cache | None
    roster: Roster
    board: Board
    borrower: Borrower

    @property
    def children(self) -> Children:
        """The providers' actors by the ids of the providers."""
        return self.roster.children


@asynccontextmanager
async def open_tree(config: Config, network: Network, log: Log, worker: str = "0") -> AsyncIterator[Tree]:
    """Start everything, with a child for each enabled provider; leaving the block stops it in reverse order."""
    board: Board = {}

    def report(event: SupervisionEvent) -> None:
        log.warning(event.name, actor=event.child, delay_s=event.delay_s, error=repr(event.error))

    def make(provider: ProviderConfig, name: str, place: Board) -> Provider:
        spec = replace(upstream.spec_of(provider), id=name)
        return Provider(spec, network, place, on_event=partial(tell, log, provider.id))

    async with open_supervisor(grace_s=config.server.grace_s, on_event=report) as supervisor:
        metrics = await supervisor.start(Metrics(METRICS, bounds=dict(metering.BOUNDS)))
        cache = await supervisor.start(Cache(_spec_of(config), CACHE)) if config.cache.enabled else None
        lender = await supervisor.start(Lender("ucr:limits"))
        borrower = await supervisor.start(Borrower(worker, name="ucr:borrower"))
        borrower.attach(lender.ref)
        roster = Roster(supervisor, board, make)
        await roster.follow(plan_of(NOTHING, config), config)
        yield Tree(supervisor, metrics, cache, roster, board, borrower)


def _spec_of(config: Config) -> CacheSpec:
    cache = config.cache
    return CacheSpec(cache.ttl_s, cache.max_entries, cache.max_bytes, fill_s=config.timeouts.total_s)


def tell(log: Log, provider: str, event: ProviderEvent) -> None:
    """Write what happened to a provider into the log."""
    say = log.warning if event.name in ("breaker.opened", "key.cooled") else log.info
    for_s = None if event.for_s is None else round(event.for_s, 3)
    if event.name == "key.cooled":
        say(event.name, provider=provider, key=event.key, kind=event.kind, for_s=for_s)
    else:
        say(event.name, provider=provider, model=event.model, for_s=for_s, failures=event.failures)
