"""The targets of reliability by name, and how they are proved one after the other.

A target takes a `Run` and adds its figures to the report of it.
"""

import os
import signal
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import trio

import ucr.stress.real.attackers as attackers
import ucr.stress.real.memory as memory
import ucr.stress.real.outages as outages
import ucr.stress.real.processes as processes
import ucr.stress.real.rest as rest
import ucr.stress.real.slow as slow
from ucr.stress.real.report import Report, versions
from ucr.stress.real.run import Run

Target = tuple[str, Callable[[Run], Awaitable[None]]]

TARGETS: tuple[Target, ...] = (
    ("R1", processes.kills),
    ("R2", processes.reloads),
    ("R3", processes.way_down),
    ("R4", outages.with_fallback),
    ("R5", outages.without_fallback),
    ("R6", outages.amplification),
    ("R7", outages.leaving),
    ("R8", outages.recovery),
    ("R9", memory.growth),
    ("R10", rest.descriptors_back),
    ("R11", attackers.hostile_providers),
    ("R12", attackers.attackers),
    ("R13", slow.slow_clients),
    ("R14", slow.large_bodies),
    ("R15", processes.stopped_worker),
    ("R17", processes.crash_loop),
    ("R19", processes.start_and_end),
    ("USR2", processes.replacements),
    ("memory", memory.idle_and_streaming),
    ("load", rest.latencies),
)
NAMES = tuple(name for name, _ in TARGETS)
LIMIT_S = 900.0
"""A target that takes longer has failed."""
WORKERS, SHORT_WORKERS = 4, 3


def chosen(names: Iterable[str]) -> tuple[Target, ...]:
    """Return the targets of these names in the order of the table, or all of them for none."""
    wanted = set(names)
    return tuple(entry for entry in TARGETS if not wanted or entry[0] in wanted)


def heading(seed: int) -> str:
    """Return what ran, and on what, so that figures can be compared."""
    return f"seed {seed}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {versions()}"


def proved(targets: tuple[Target, ...], seed: int, report: Report, workers: int | None = None) -> bool:
    """Prove targets in processes of their own; False when a signal came first. Either way no process is left."""
    number = (SHORT_WORKERS if report.short else WORKERS) if workers is None else workers
    with tempfile.TemporaryDirectory(prefix="ucr-stress-") as folder:
        return trio.run(prove_all, Run(report.short, seed, Path(folder), report, number), targets)


async def prove_all(run: Run, targets: tuple[Target, ...]) -> bool:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop_at_signal, nursery.cancel_scope)
        await prove(run, targets)
        nursery.cancel_scope.cancel(reason="all is proved")
        return True
    return False


async def stop_at_signal(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel(reason="a signal came")


async def prove(run: Run, targets: tuple[Target, ...]) -> None:
    """Prove one target after the other; one that breaks is a failed one, and the next begins."""
    for name, target in targets:
        start = trio.current_time()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_in_time, run, target)
        except ExceptionGroup as error:
            run.report.fact(name, f"ran to its end: {why(error)}", False)
        run.report.say(f"{name:4} took {trio.current_time() - start:.1f} s")


async def _in_time(run: Run, target: Callable[[Run], Awaitable[None]]) -> None:
    with trio.fail_after(LIMIT_S):
        await target(run)


def why(error: BaseException) -> str:
    """Return the first cause within groups of exceptions."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return repr(error)
