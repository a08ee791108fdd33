"""Measure what UCR costs, beside nginx and other routers, through real processes on loopback.

`scripts/bench --help` says what can be chosen.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import bench_nginx
import trio
from bench_contenders import Contender, Direct, Nginx, Ucr
from bench_report import Report, machine, table
from bench_rounds import Bench, measure
from bench_workloads import SHORT, WORKLOADS, Workload
from chaos_targets import stop_at_signal

NEEDED = {"nginx": "nginx", "wrk": "wrk", "cc": "gcc libc6-dev", "openssl": "openssl"}
"""Programs, and the packages of Debian that hold them."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        packages = " ".join(NEEDED[name] for name in missing)
        print(f"scripts/bench needs {', '.join(missing)}: apt-get install -y {packages}", file=sys.stderr)
        return 2
    started = time.monotonic()
    report = Report(machine(), options.short)
    say = progress(started)
    say(report.machine)
    with tempfile.TemporaryDirectory(prefix="ucr-bench-") as folder:
        is_whole = trio.run(run_all, options, report, Path(folder), say)
    print(f"\n{report.markdown()}", flush=True)
    write(report, Path(options.out))
    say(f"report.md and report.json are in {options.out}")
    return 0 if is_whole else 1


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    names = ", ".join(workload.name for workload in WORKLOADS)
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="about a minute: the three core workloads")
    parser.add_argument("--only", action="append", metavar="NAME", default=[], help=f"one or more of {names}")
    parser.add_argument("--rounds", type=int, help="measurements of each contender (default: 5, short: 3)")
    parser.add_argument("--seconds", type=int, help="of each measurement (default: 4, short: 2)")
    parser.add_argument("--out", default="build/bench", metavar="FOLDER", help="where the report is written")
    options = parser.parse_args(arguments)
    if unknown := set(options.only) - {workload.name for workload in WORKLOADS}:
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {names}")
    return options


def chosen(options: argparse.Namespace) -> list[Workload]:
    """Return the workloads to be measured, in their order."""
    names = options.only or (SHORT if options.short else [workload.name for workload in WORKLOADS])
    return [workload for workload in WORKLOADS if workload.name in names]


def progress(started: float) -> Callable[[str], None]:
    """Return what prints a line with the seconds that have passed."""

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:5.0f} s] {text}", file=sys.stderr, flush=True)

    return say


async def run_all(
    options: argparse.Namespace, report: Report, folder: Path, say: Callable[[str], None]
) -> bool:
    """Measure everything that was chosen; False when a signal ended it. No process is left either way."""
    contenders: tuple[Contender, ...] = (Nginx(), Ucr(), Direct())
    rounds, seconds = (
        options.rounds or (3 if options.short else 5),
        options.seconds or (2 if options.short else 4),
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop_at_signal, nursery.cancel_scope)
        certificate = await bench_nginx.certify(folder)
        async with bench_nginx.upstream(folder / "upstream", certificate) as origins:
            bench = Bench(rounds, seconds, contenders, origins, certificate, folder, say)
            for workload in chosen(options):
                say(f"{workload.name}: {workload.title}")
                results = await measure(bench, workload)
                report.workloads.append((workload, results))
                say(table(workload, results))
        nursery.cancel_scope.cancel(reason="everything is measured")
        return True
    return False


def write(report: Report, folder: Path) -> None:
    """Write the report into a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(report.markdown(), "utf-8")
    (folder / "report.json").write_text(report.as_json(), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
