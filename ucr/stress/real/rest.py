"""The target of descriptors, and what the router costs in time beside direct calls."""

from collections.abc import Callable
from functools import partial

import trio

from ucr.stress.real.load import Load, Marks, Plan, having, loaded
from ucr.stress.real.outages import leave
from ucr.stress.real.report import quantile
from ucr.stress.real.router import Router, Served, configuration, descriptors
from ucr.stress.real.run import Run
from ucr.stress.real.upstream import Mood

MORE_DESCRIPTORS = 2
QUIET_S = 2.0
"""Descriptors that did not change for so long are taken for settled."""


async def descriptors_back(run: Run) -> None:
    """R10: after load, leaving clients and an outage every process has the descriptors that it had before."""
    settle_s = run.pick(100.0, 15.0)
    async with run.upstreams("alpha", "beta") as (alpha, beta):
        calm = Mood(closes=run.short)
        alpha.mood = beta.mood = calm
        async with run.router(configuration(Served(alpha), Served(beta, "openai-chat"))) as router:
            await _warm(run, router, 2.0)
            before = await settled(partial(_counted, router), {}, settle_s)
            loads = [await _warm(run, router, run.pick(10.0, 2.5))]
            await leave(run, router, 100, alpha)
            alpha.fall()
            loads.append(await _warm(run, router, run.pick(10.0, 2.5)))
            alpha.rise()
            loads.append(await _warm(run, router, 2.0))
            after = await settled(partial(_counted, router), before, settle_s)
    shots = [shot for load in loads for shot in load.shots]
    growth = {pid: after.get(pid, 0) - count for pid, count in before.items()}
    report = run.report
    report.count("R10", "descriptors more in one process", max(growth.values()), MORE_DESCRIPTORS, len(growth))
    report.count("R10", "processes replaced", len(before.keys() - after.keys()), 0, len(before))
    report.count("R10", "lost or crossed", len(having(shots, "lost", "crossed")), 0, len(shots))


async def _warm(run: Run, router: Router, seconds: float) -> Load:
    async with run.loaded(router) as load:
        await trio.sleep(seconds)
    return load


async def settled(
    count: Callable[[], dict[int, int]], before: dict[int, int], limit_s: float
) -> dict[int, int]:
    """Return the descriptors of each process once they are as few as before, or change no more."""
    found, quiet_since = count(), trio.current_time()
    with trio.move_on_after(limit_s):
        while before or trio.current_time() < quiet_since + QUIET_S:
            await trio.sleep(0.2)
            if (now := count()) != found:
                found, quiet_since = now, trio.current_time()
            if before and all(found.get(pid, 0) <= count for pid, count in before.items()):
                break
    return found


def _counted(router: Router) -> dict[int, int]:
    return {pid: descriptors(pid) for pid in router.all_pids()}


async def latencies(run: Run) -> None:
    """Tell the times of the router under load beside those of direct calls, which have the same answers."""
    plan, seconds = Plan(clients=8, pause_s=0.05, orders="pieces=3 pause=0"), run.pick(15.0, 2.0)
    async with run.upstreams("alpha") as (alpha,), run.router(configuration(Served(alpha))) as router:
        for name, port in (("direct", alpha.port), ("router", router.port)):
            for kind, streams in (("whole", 0.0), ("stream", 1.0)):
                load = await _timed(run, port, Plan(plan.clients, plan.pause_s, streams, plan.orders), seconds)
                times = [shot.latency_s for shot in having(load.shots, "ok")]
                said = f"p50 {quantile(times, 0.5) * 1000:.1f} ms, p99 {quantile(times, 0.99) * 1000:.1f} ms"
                run.report.told("load", f"{name}, {kind}", f"{said}, {len(times) / seconds:.0f}/s", len(times))


async def _timed(run: Run, port: int, plan: Plan, seconds: float) -> Load:
    marks: Marks = run.marks
    async with loaded(port, plan, marks, run.dice("latencies")) as load:
        await trio.sleep(seconds)
    return load
