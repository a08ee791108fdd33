"""The place of the custom router in a worker: there while the configuration names a file."""

from itertools import count

from actors import Ref, Supervisor, Tally
from actors.metrics import Measured, MetricsMessage
from ucr.config.model import Config, Router
from ucr.custom import INTENSITY, NAME, CustomRouter, Start
from ucr.logs import Log
from ucr.messages import Rejected
from ucr.metering import CUSTOM
from ucr.steered import Outcome


class CustomSeat:
    """`start` starts the process of a custom router."""

    def __init__(self, supervisor: Supervisor, metrics: Ref[MetricsMessage], log: Log, start: Start) -> None:
        self._supervisor = supervisor
        self._metrics = metrics
        self._tallies: dict[Outcome, Tally] = {}
        self._log = log
        self._start = start
        self._numbers = count(1)

    def __repr__(self) -> str:
        return f"<CustomSeat with {self._start!r}>"

    async def first(self, config: Config) -> CustomRouter | None:
        """Return the custom router of a configuration, tried out; one that could not be loaded is tried again."""
        return None if config.router.custom is None else await self._started(config)

    async def next(self, before: Config, config: Config, present: CustomRouter | None) -> CustomRouter | None:
        """Return the custom router of another configuration: the present one where it needs no other.

        Raise `Rejected`, with nothing changed, when it could not be loaded.
        """
        if config.router.custom is None:
            return None
        if present is not None and _key(before.router) == _key(config.router):
            return present
        made = await self._started(config)
        if made.trouble is not None:
            await self.stop(made)
            raise Rejected(f"router.custom = {config.router.custom!r}: {made.trouble}")
        return made

    async def stop(self, router: CustomRouter) -> None:
        """End one that nobody needs any more."""
        await self._supervisor.stop(router.name)

    async def _started(self, config: Config) -> CustomRouter:
        number = next(self._numbers)
        name = NAME if number == 1 else f"{NAME}@{number}"
        router = CustomRouter(config, self._start, self._log, self._count, name)
        await self._supervisor.start(router, intensity=INTENSITY)
        await router.wait_tried()
        return router

    def _count(self, outcome: Outcome) -> None:
        tally = self._tallies.get(outcome)
        if tally is None:
            tally = self._tallies[outcome] = Tally(((CUSTOM, (("outcome", outcome),)),))
        self._metrics.offer(Measured(tally, (1,)))


def _key(router: Router) -> tuple[object, ...]:
    return router.custom, router.custom_memory_bytes
