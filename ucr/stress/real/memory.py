"""The targets of memory: what a worker takes when idle and with many streams, and that requests leave nothing behind."""

import trio

from ucr.stress.real.load import Plan, Shot, having, shoot
from ucr.stress.real.outages import leave
from ucr.stress.real.processes import show_wrong
from ucr.stress.real.router import Router, Served, configuration, resident_bytes
from ucr.stress.real.run import Run
from ucr.stress.real.upstream import Mood

MIB = 1024 * 1024
IDLE_MIB, STREAMING_MIB, GROWTH_MIB = 50, 120, 10
STREAMS = 500
TIDY_S = 12.0
"""After this long without requests a worker has given back what it does not use (`ucr/memory.py`)."""
MODELS = ("m", "alpha/m", "beta/m")
SOME_FAIL = Mood("status", status=500, share=0.02)
BIG = " and so on" * 6_000
"""Makes a request as large as one of an agent."""


async def growth(run: Run) -> None:
    """R9: after a warm-up, whole answers and streams in both dialects, failures and leaving clients cost no memory."""
    count, warm_up = run.times(100_000, 10_000), run.times(20_000, 3_000)
    async with run.upstreams("alpha", "beta") as (alpha, beta):
        alpha.mood = beta.mood = SOME_FAIL
        text = configuration(Served(alpha), Served(beta, "openai-chat"))
        async with run.router(text, workers=2) as router:
            shots = await _mixed(run, router, warm_up)
            await leave(run, router, 50, alpha)
            before = await _settled(router)
            shots += await _mixed(run, router, count - warm_up)
            await leave(run, router, 50, alpha)
            after = await _settled(router)
    grown = {pid: after.get(pid, 0.0) - taken for pid, taken in before.items()}
    report, most = run.report, max(grown, key=lambda pid: grown[pid])
    report.told("R9", "memory after the warm-up and at the end", both(before[most], after.get(most, 0.0)), 1)
    report.ratio("R9", "growth of one process", grown[most], GROWTH_MIB, len(shots), " MiB")
    report.count("R9", "processes replaced", len(before.keys() - after.keys()), 0, len(before))
    report.count("R9", "lost or crossed", len(having(shots, "lost", "crossed")), 0, len(shots))


async def _mixed(run: Run, router: Router, count: int) -> list[Shot]:
    """Send so many requests: most small, every hundredth as large as an agent's."""
    plan = Plan(clients=16, pause_s=0.0, orders="pieces=3 pause=0", models=MODELS)
    async with run.loaded(router, plan) as load:
        sent = 0
        while sent < count:
            await load.wait_shots(min(100, count - sent))
            await shoot(router.port, run.marks, orders=f"pieces=3 pause=0{BIG}", model=MODELS[sent % 3])
            sent += 101
    return load.shots


async def _settled(router: Router) -> dict[int, float]:
    """Return what each process takes, in MiB, when it has been idle for a while."""
    await trio.sleep(TIDY_S)
    return _taken(router)


def _taken(router: Router) -> dict[int, float]:
    return {pid: resident_bytes(pid) / MIB for pid in router.all_pids()}


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
