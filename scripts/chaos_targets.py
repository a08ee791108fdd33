"""Prove the targets of reliability through real processes on loopback.

`scripts/chaos --help` says what can be chosen. Exit status 1 when a target is missed.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import chaos_attackers as attackers
import chaos_memory as memory
import chaos_outages as outages
import chaos_processes as processes
import chaos_rest as rest
import chaos_slow as slow
import trio
from chaos_report import Report, versions
from chaos_run import Run

TARGETS: tuple[tuple[str, Callable[[Run], Awaitable[None]]], ...] = (
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
LIMIT_S = 900.0
"""A target that takes longer has failed."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--short", action="store_true", help="the form of CI: shorter, and patient about times")
    parser.add_argument("--seed", type=int, default=1, help="of every choice by chance")
    parser.add_argument("--workers", type=int, help="worker processes (default: 4, and 3 in the short form)")
    names = [name for name, _ in TARGETS]
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help=f"some of {', '.join(names)}; default: all"
    )
    options = parser.parse_args()
    if unknown := set(options.targets) - set(names):
        parser.error(f"no target {', '.join(sorted(unknown))}")
    report = Report(options.short)
    heading = f"seed {options.seed}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {versions()}"
    print(heading, flush=True)
    with tempfile.TemporaryDirectory(prefix="ucr-chaos-") as folder:
        workers = (3 if options.short else 4) if options.workers is None else options.workers
        run = Run(options.short, options.seed, Path(folder), report, workers)
        chosen = [entry for entry in TARGETS if not options.targets or entry[0] in options.targets]
        if not trio.run(prove_all, run, chosen):
            print("stopped by a signal")
            return 1
    print(f"\n{heading}\n{report.table()}")
    return 1 if report.has_failed else 0


async def prove_all(run: Run, chosen: list[tuple[str, Callable[[Run], Awaitable[None]]]]) -> bool:
    """Prove the targets; False when a signal came first. Either way no process is left."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop_at_signal, nursery.cancel_scope)
        await prove(run, chosen)
        nursery.cancel_scope.cancel(reason="all is proved")
        return True
    return False


async def stop_at_signal(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel(reason="a signal came")


async def prove(run: Run, chosen: list[tuple[str, Callable[[Run], Awaitable[None]]]]) -> None:
    """Prove one target after the other; one that breaks is a failed one, and the next begins."""
    for name, target in chosen:
        start = trio.current_time()
        try:
            with trio.fail_after(LIMIT_S):
                await target(run)
        except Exception as error:  # noqa: BLE001 - the others are still measured
            run.report.fact(name, f"ran to its end: {why(error)}", False)
        print(f"{name:4} took {trio.current_time() - start:.1f} s", flush=True)


def why(error: BaseException) -> str:
    """Return the first cause within groups of exceptions."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return repr(error)


if __name__ == "__main__":
    sys.exit(main())
