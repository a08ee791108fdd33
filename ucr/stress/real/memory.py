"""The targets of memory: what a worker takes when idle and with many streams, and that requests leave nothing behind."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import trio

from ucr.stress.real.load import Plan, Shot, having, shoot
from ucr.stress.real.outages import leave
from ucr.stress.real.processes import show_wrong
from ucr.stress.real.router import Router, Served, configuration, descriptors, resident_bytes
from ucr.stress.real.run import Run
from ucr.stress.real.upstream import Mood, Upstream

MIB = 1024 * 1024
IDLE_MIB, STREAMING_MIB, GROWTH_MIB = 50, 120, 10
STREAMS = 500
TIDY_S = 12.0
"""After this long without requests a worker has given back what it does not use (`ucr/memory.py`)."""
MODELS = ("m", "alpha/m", "beta/m")
AGENTS = 0.01
"""One request in a hundred is as large as an agent's."""
SOME_FAIL, SOME_BREAK = Mood("status", status=500, share=0.02), Mood("cut", share=0.02)
SETTLED_S = 17.0
"""After this long a router has let go of the connections that its providers have ended (`Provider.tidy_every_s`)."""
LEAVE_EVERY, LEAVERS = 1_000, 10
MORE_DESCRIPTORS = 2


@dataclass(frozen=True, slots=True)
class Taken:
    """What each process takes: memory in MiB, and open descriptors."""

    memory: Mapping[int, float]
    descriptors: Mapping[int, int]


def taken(router: Router) -> Taken:
    """Return what each process takes now."""
    pids = router.all_pids()
    return Taken({pid: resident_bytes(pid) / MIB for pid in pids}, {pid: descriptors(pid) for pid in pids})


def more(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """Return how much more one process takes at most, of those that lived through it all."""
    return max((after[pid] - before[pid] for pid in before.keys() & after.keys()), default=0.0)


async def growth(run: Run) -> None:
    """R9: after a warm-up, requests large and small, streams, failures and leaving clients cost nothing that lasts."""
    count, warm_up = run.times(100_000, 8_000), run.times(20_000, 3_000)
    async with run.upstreams("alpha", "beta") as (alpha, beta):
        alpha.mood, beta.mood = SOME_FAIL, SOME_BREAK
        text = configuration(Served(alpha), Served(beta, "openai-chat"))
        async with run.router(text, workers=2) as router:
            verdicts = await _mixed(run, router, (alpha, beta), warm_up)
            before = await settled(router, (alpha, beta))
            verdicts += await _mixed(run, router, (alpha, beta), count - warm_up)
            after = await settled(router, (alpha, beta))
    report, total = run.report, verdicts.total()
    most = max(before.memory.values(), default=0.0), max(after.memory.values(), default=0.0)
    report.told("R9", "memory after the warm-up and at the end", both(*most), 1)
    report.ratio("R9", "growth of one process", more(before.memory, after.memory), GROWTH_MIB, total, " MiB")
    opened = int(more(before.descriptors, after.descriptors))
    report.count("R9", "descriptors more in one process", opened, MORE_DESCRIPTORS, total)
    replaced = len(before.memory.keys() - after.memory.keys())
    report.count("R9", "processes replaced", replaced, 0, len(before.memory))
    report.count("R9", "crossed", verdicts["crossed"], 0, total)
    report.count("R9", "lost", verdicts["lost"], 0, total)


async def _mixed(run: Run, router: Router, asked: tuple[Upstream, ...], count: int) -> Counter[str]:
    """Send so many requests, while clients come and leave; return what became of them."""
    plan = Plan(clients=16, pause_s=0.0, orders="pieces=3 pause=0", models=MODELS, agents=AGENTS)
    verdicts = Counter[str]()
    async with run.loaded(router, plan) as load:
        while verdicts.total() < count:
            await load.wait_shots(min(LEAVE_EVERY, count - verdicts.total()))
            await leave(run, router, LEAVERS, *asked)
            shots = load.take()
            run.timeline.add(shots)
            verdicts.update(shot.verdict for shot in shots)
    verdicts.update(shot.verdict for shot in load.shots)
    return verdicts


async def settled(router: Router, asked: Iterable[Upstream]) -> Taken:
    """Let providers end the connections that are kept; return what each process takes when it has been idle a while."""
    for upstream in asked:
        upstream.fall()
        upstream.rise()
    await trio.sleep(SETTLED_S)
    return taken(router)


def both(before: float, after: float) -> str:
    return f"{before:.1f} MiB, {after:.1f} MiB"


async def idle_and_streaming(run: Run) -> None:
    """Tell what one worker takes when idle, and with five hundred streams, half of them translated."""
    shots = list[Shot]()
    async with run.upstreams("alpha", "beta") as (alpha, beta):
        text = configuration(Served(alpha), Served(beta, "openai-chat"))
        async with run.router(text, workers=1) as router:
            (worker,) = router.workers().values()
            await trio.sleep(2)
            idle, most = resident_bytes(worker) / MIB, 0.0
            async with trio.open_nursery() as nursery:
                for number in range(STREAMS):
                    nursery.start_soon(_stream, run, router, MODELS[1 + number % 2], shots)
                while len(shots) < STREAMS:
                    most = max(most, resident_bytes(worker) / MIB)
                    await trio.sleep(0.2)
            await trio.sleep(TIDY_S)
            after = resident_bytes(worker) / MIB
    report = run.report
    report.ratio("memory", "an idle worker", idle, IDLE_MIB, 1, " MiB")
    report.ratio("memory", f"a worker with {STREAMS} streams", most, STREAMING_MIB, 1, " MiB")
    report.told("memory", "when it is idle again", f"{after:.1f} MiB", 1)
    report.count("memory", "streams not ok", STREAMS - len(having(shots, "ok")), 0, STREAMS)
    show_wrong(report, shots)


async def _stream(run: Run, router: Router, model: str, shots: list[Shot]) -> None:
    shots.append(await shoot(router.port, run.marks, orders="pieces=20 pause=0.5", model=model))
