"""One simulation: the whole router in virtual time, on a network in memory, under a plan.

How this works. The clock jumps as soon as every task waits; the scheduler draws its lots by the seed of the plan; so do
clients, providers and the router's own dice. Nothing waits for the world, and so the same plan gives the same digest.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

import trio
from trio.testing import lockstep_stream_pair, memory_stream_pair

from actors import ActorError
from ucr import guard as guard  # loaded here, so that no thread loads it while time jumps
from ucr.logs import make_log
from ucr.messages import Rejected
from ucr.stress.client import ROUTER, VirtualClient
from ucr.stress.clock import run_jumping
from ucr.stress.laws import Audit
from ucr.stress.network import MemoryNetwork
from ucr.stress.plan import PROVIDERS, Blow, Plan
from ucr.stress.provider import VirtualProvider
from ucr.stress.scheduling import deterministic_scheduling
from ucr.stress.settings import DIALECTS, GONE, TOTAL_S, config_of
from ucr.stress.watch import Broken, Steps, Watch
from ucr.worker import Worker, open_worker

EPOCH = datetime(2026, 11, 25, tzinfo=UTC)

Sabotage = Callable[[Worker], None]
"""Puts something broken into a router, to see whether it is found."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a simulation went; `broken` None: no law was broken."""

    plan: Plan
    broken: Broken | None
    digest: str
    requests: int
    outcomes: dict[str, int]
    asked_of: dict[str, int]
    cache_uses: dict[str, int]
    steps: int
    virtual_s: float


def simulate(plan: Plan, sabotage: Sabotage = lambda _: None) -> Result:
    """Run a plan to its end, or to the first law that is broken."""
    simulation = Simulation(plan, sabotage)
    with deterministic_scheduling(plan.seed):
        virtual_s = run_jumping(simulation.run, [simulation.steps])
    watch = simulation.watch
    return Result(
        plan,
        watch.broken,
        watch.digest,
        watch.requests,
        watch.outcomes,
        watch.asked_of,
        watch.cache_uses,
        simulation.steps.steps,
        virtual_s,
    )


class Simulation:
    """One run of a plan."""

    def __init__(self, plan: Plan, sabotage: Sabotage) -> None:
        self._plan = plan
        self._sabotage = sabotage
        self._scope = trio.CancelScope()
        self.watch = Watch(plan, partial(self._scope.cancel, reason="a law was broken"))
        self.steps = Steps(self.watch)
        self._network = MemoryNetwork(lockstep_stream_pair if plan.is_narrow else memory_stream_pair)
        self._providers = tuple(
            VirtualProvider(name, DIALECTS[name], plan, self.watch.arrived, partial(self.watch.answered, name))
            for name in PROVIDERS
        )

    async def run(self) -> float:
        """Run it; return how many virtual seconds it took."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    for provider in self._providers:
                        nursery.start_soon(provider.serve, self._network)
                    await self._serve()
                    nursery.cancel_scope.cancel(reason="the simulation is over")
        except Exception as error:  # noqa: BLE001 - the edge of the process, whose crash is a law that is broken
            self.watch.broke("crash", "".join(traceback.format_exception(error)).rstrip())
        return trio.current_time()

    async def _serve(self) -> None:
        plan, watch = self._plan, self.watch
        log = make_log("info", (), (watch.read_log,), lambda: EPOCH)
        serving = open_worker(
            config_of(plan),
            [self._network.listener(*ROUTER)],
            self._network,
            log,
            dice=Random(f"{plan.seed} router").random,
            unix_time=lambda: (EPOCH + timedelta(seconds=trio.current_time())).timestamp(),
        )
        try:
            async with serving as worker:
                self._sabotage(worker)
                self.steps.attach(worker, self._network, self._forget)
                await self._crowd(worker)
                await self._rest(worker)
                self.steps.detach()
                audit = Audit(worker)
                await worker.drain(worker.config.server.grace_s)
        finally:
            self.steps.detach()
        self._check_end(audit)

    async def _crowd(self, worker: Worker) -> None:
        """Let everybody ask, and everything happen."""
        async with trio.open_nursery() as nursery:
            for blow in self._plan.blows:
                nursery.start_soon(self._strike, worker, blow)
            for number in range(self._plan.clients):
                client = VirtualClient(number, self._plan, self._network, self.watch)
                nursery.start_soon(client.run)

    async def _rest(self, worker: Worker) -> None:
        """Wait until the router has nothing more to do, which clients that have left may delay."""
        with trio.move_on_after(2 * TOTAL_S) as patience:
            await worker.api.wait_idle()
        if patience.cancelled_caught:
            self.watch.broke("release", f"{worker.api.requests().open} requests have no end")
        self.watch.check_breakers(worker.tree.children)

    def _check_end(self, audit: Audit) -> None:
        """Everything must have been given back."""
        for how in audit.broken():
            self.watch.broke("books", how)
        if left := sum(not stream.is_closed for stream in self._network.streams):
            self.watch.broke("release", f"{left} connections are open after the end")

    def _forget(self) -> None:
        for provider in self._providers:
            provider.upstream.requests.clear()
            provider.upstream.aborted.clear()

    async def _strike(self, worker: Worker, blow: Blow) -> None:
        await trio.sleep_until(blow.at_s)
        self.watch.blows += 1
        tree = worker.tree
        match blow.name:
            case "crash-provider":
                if (child := tree.children.get(blow.target)) is not None:
                    child.ref.tell(_UNKNOWN)  # type: ignore[arg-type]
            case "crash-metrics":
                tree.metrics.ref.tell(_UNKNOWN)  # type: ignore[arg-type]
            case "crash-cache":
                if tree.cache is not None:
                    tree.cache.ref.tell(_UNKNOWN)  # type: ignore[arg-type]
            case "limits" | "fewer" | "all":
                self.watch.replaced.add(GONE)
                try:
                    await worker.follow(config_of(self._plan, blow.name))
                except (Rejected, ActorError) as error:
                    self.watch.trace("rejected", type(error).__name__)
        self.steps.renew()


_UNKNOWN = object()
"""A message that no actor knows: it crashes of it."""
