"""The targets of reliability by name, and how they are proved one after the other.

A target takes a `Run` and adds its figures to the report of it.
"""

import os
import signal
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import trio

import ucr.stress.real.attackers as attackers
import ucr.stress.real.memory as memory
import ucr.stress.real.outages as outages
import ucr.stress.real.processes as processes
import ucr.stress.real.rest as rest
import ucr.stress.real.shortage as shortage
import ucr.stress.real.slow as slow
from ucr.stress.real.report import Report, versions
from ucr.stress.real.run import Run
from ucr.stress.real.timeline import Course

LIMIT_S = 900.0


Prove = Callable[[Run], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Target:
    """What is proved, by its name. One that takes longer than `limit_s` has failed."""

    name: str
    prove: Prove
    limit_s: float = LIMIT_S


def in_both_lanes(prove: Prove) -> Prove:
    """Return what proves the same with the front lane, and then without it."""

    async def prove_both(run: Run) -> None:
        await prove(run)
        with run.hypercorn_alone():
            await prove(run)

    return prove_both


TARGETS: tuple[Target, ...] = (
    Target("R1", processes.kills),
    Target("R2", processes.reloads),
    Target("R3", processes.way_down),
    Target("R4", outages.with_fallback),
    Target("R5", outages.without_fallback),
    Target("R6", outages.amplification),
    Target("R7", outages.leaving),
    Target("R8", outages.recovery),
    Target("R9", memory.growth),
    Target("R10", rest.descriptors_back),
    Target("R11", in_both_lanes(attackers.hostile_providers)),
    Target("R12", in_both_lanes(attackers.attackers)),
    Target("R13", in_both_lanes(slow.slow_clients)),
    Target("R14", in_both_lanes(slow.large_bodies)),
    Target("R15", processes.stopped_worker),
    Target("R16", shortage.full_disk),
    Target("R17", processes.crash_loop),
    Target("R19", processes.start_and_end),
    Target("R20", shortage.overload),
    Target("USR2", processes.replacements),
    Target("memory", memory.idle_and_streaming),
    Target("load", rest.latencies),
)
NAMES = tuple(target.name for target in TARGETS)
WORKERS, SHORT_WORKERS = 4, 3


def chosen(names: Iterable[str]) -> tuple[Target, ...]:
    """Return the targets of these names in the order of the table, or all of them for none."""
    wanted = set(names)
    return tuple(target for target in TARGETS if not wanted or target.name in wanted)


def heading(seed: int) -> str:
    """Return what ran, and on what, so that figures can be compared."""
    return f"seed {seed}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {versions()}"


def proved(targets: tuple[Target, ...], seed: int, report: Report, workers: int | None = None) -> Course | None:
    """Prove targets in processes of their own; None when a signal came first. Either way no process is left."""
    number = (SHORT_WORKERS if report.short else WORKERS) if workers is None else workers
    with tempfile.TemporaryDirectory(prefix="ucr-stress-") as folder:
        return trio.run(prove_all, targets, seed, report, number, Path(folder))


async def prove_all(
    targets: tuple[Target, ...], seed: int, report: Report, workers: int, folder: Path
) -> Course | None:
    run = Run(report.short, seed, folder, report, workers)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop_at_signal, nursery.cancel_scope)
        await prove(run, targets)
        nursery.cancel_scope.cancel(reason="all is proved")
        return run.timeline.course()
    return None


async def stop_at_signal(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel(reason="a signal came")


async def prove(run: Run, targets: tuple[Target, ...]) -> None:
    """Prove one target after the other; one that breaks is a failed one, and the next begins."""
    for target in targets:
        name, start = target.name, trio.current_time()
        run.timeline.begin(name)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_in_time, run, target)
        except ExceptionGroup as error:
            run.report.fact(name, f"ran to its end: {why(error)}", False)
        run.report.say(f"{name:4} took {trio.current_time() - start:.1f} s")


async def _in_time(run: Run, target: Target) -> None:
    with trio.fail_after(target.limit_s):
        await target.prove(run)


def why(error: BaseException) -> str:
    """Return the first cause within groups of exceptions."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return repr(error)
