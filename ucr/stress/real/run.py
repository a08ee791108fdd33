"""What every target needs: its length, its dice, a folder, the report and the timeline."""

import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import trio

from ucr.stress.real.load import Load, Marks, Plan, loaded
from ucr.stress.real.report import Report
from ucr.stress.real.router import Router, running, with_lane
from ucr.stress.real.timeline import Timeline
from ucr.stress.real.upstream import Upstream, upstreams


@dataclass(slots=True)
class Run:
    """One run of the targets, within Trio. `short` is the form of CI; `front_lane` is what routers are told of theirs."""

    short: bool
    seed: int
    folder: Path
    report: Report
    workers: int
    marks: Marks = field(default_factory=Marks)
    timeline: Timeline = field(default_factory=Timeline)
    front_lane: bool = True
    _routers: int = 0

    def pick(self, full: float, short: float) -> float:
        return short if self.short else full

    def times(self, full: int, short: int) -> int:
        return short if self.short else full

    def dice(self, name: str) -> random.Random:
        """Return the dice of one purpose: the same for the same seed."""
        return random.Random(f"{self.seed} {name}")

    def upstreams(self, *names: str) -> AbstractAsyncContextManager[tuple[Upstream, ...]]:
        return upstreams(*names, seed=self.seed)

    @asynccontextmanager
    async def router(
        self, text: str, workers: int | None = None, variables: Mapping[str, str] = MappingProxyType({})
    ) -> AsyncIterator[Router]:
        """Run a router of this configuration as long as the block."""
        self._routers += 1
        folder = self.folder / f"router-{self._routers}"
        number = self.workers if workers is None else workers
        async with running(
            folder, with_lane(text, self.front_lane), workers=number, variables=variables
        ) as router:
            yield router

    @contextmanager
    def hypercorn_alone(self) -> Iterator[None]:
        """Run routers without their front lane as long as the block, and say so beside each figure."""
        before = self.front_lane, self.report.beside
        self.front_lane, self.report.beside = False, ", without the front lane"
        try:
            yield
        finally:
            self.front_lane, self.report.beside = before

    @asynccontextmanager
    async def loaded(self, router: Router, plan: Plan | None = None) -> AsyncIterator[Load]:
        """Keep a router under load as long as the block."""
        async with loaded(router.port, plan or Plan(), self.marks, self.dice("load")) as load:
            yield load
        self.timeline.add(load.shots)


async def measured(load: Load, seconds: float) -> tuple[float, float]:
    """Let the load go on; return when that began and ended."""
    start = trio.current_time()
    await trio.sleep(seconds)
    return start, trio.current_time()
