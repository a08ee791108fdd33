"""The actor tree of a worker: it lives longer than the server, and closes after it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from actors import (
    Board,
    Borrower,
    Lender,
    Network,
    Provider,
    ProviderEvent,
    SupervisionEvent,
    Supervisor,
    open_supervisor,
)
from ucr import upstream
from ucr.config.model import Config
from ucr.config.model import Provider as ProviderConfig
from ucr.config.plan import plan_of
from ucr.logs import Log
from ucr.roster import Children, Roster

NOTHING = Config()


@dataclass(frozen=True, slots=True)
class Tree:
    """The running providers, and the board on which they publish their state."""

    supervisor: Supervisor
    roster: Roster
    board: Board
    borrower: Borrower

    @property
    def children(self) -> Children:
        """The providers' actors by the ids of the providers."""
        return self.roster.children


@asynccontextmanager
async def open_tree(config: Config, network: Network, log: Log, worker: str = "0") -> AsyncIterator[Tree]:
    """Start a child for each enabled provider; leaving the block stops them in reverse order."""
    board: Board = {}

    def report(event: SupervisionEvent) -> None:
        log.warning(event.name, actor=event.child, delay_s=event.delay_s, error=repr(event.error))

    def make(provider: ProviderConfig, name: str, place: Board) -> Provider:
        spec = replace(upstream.spec_of(provider), id=name)
        return Provider(spec, network, place, on_event=partial(tell, log, provider.id))

    async with open_supervisor(grace_s=config.server.grace_s, on_event=report) as supervisor:
        lender = await supervisor.start(Lender())
        borrower = await supervisor.start(Borrower(worker))
        borrower.attach(lender.ref)
        roster = Roster(supervisor, board, make)
        await roster.follow(plan_of(NOTHING, config), config)
        yield Tree(supervisor, roster, board, borrower)


def tell(log: Log, provider: str, event: ProviderEvent) -> None:
    """Write what happened to a provider into the log."""
    say = log.warning if event.name in ("breaker.opened", "key.cooled") else log.info
    for_s = None if event.for_s is None else round(event.for_s, 3)
    if event.name == "key.cooled":
        say(event.name, provider=provider, key=event.key, kind=event.kind, for_s=for_s)
    else:
        say(event.name, provider=provider, model=event.model, for_s=for_s, failures=event.failures)
