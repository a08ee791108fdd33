"""The actor tree of a worker: it lives longer than the server, and closes after it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from actors import Board, Borrower, Lender, Network, Provider, SupervisionEvent, Supervisor, open_supervisor
from ucr import upstream
from ucr.config.model import Config
from ucr.logs import Log


@dataclass(frozen=True, slots=True)
class Tree:
    """The running children by provider id, and the board on which they publish their state."""

    supervisor: Supervisor
    children: Mapping[str, Provider]
    board: Board
    borrower: Borrower


@asynccontextmanager
async def open_tree(config: Config, network: Network, log: Log, worker: str = "0") -> AsyncIterator[Tree]:
    """Start a child for each enabled provider; leaving the block stops them in reverse order."""
    board: Board = {}

    def report(event: SupervisionEvent) -> None:
        log.warning(event.name, actor=event.child, delay_s=event.delay_s, error=repr(event.error))

    async with open_supervisor(grace_s=config.server.grace_s, on_event=report) as supervisor:
        lender = await supervisor.start(Lender())
        borrower = await supervisor.start(Borrower(worker))
        borrower.attach(lender.ref)
        children = {
            provider.id: await supervisor.start(Provider(upstream.spec_of(provider), network, board))
            for provider in config.providers
            if provider.enabled
        }
        yield Tree(supervisor, children, board, borrower)
