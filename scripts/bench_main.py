"""Measure what UCR costs, beside nginx and other routers, through real processes on loopback.

`scripts/bench --help` says what can be chosen.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import bench_nginx
import bench_replay
import bench_streams
import trio
from bench_contenders import Contender, Direct, Nginx, Ucr
from bench_micro import micro
from bench_peers import cache_folder, install, peers
from bench_process import BenchError
from bench_report import Report, machine, paced_table, pictures, table, with_figures
from bench_rounds import Bench, measure
from bench_start import starts
from bench_workloads import PACED, SHORT, SHORT_PACED, WORKLOADS

from ucr.stress.real.targets import stop_at_signal

NEEDED = {"nginx": "nginx", "wrk": "wrk", "cc": "gcc libc6-dev", "openssl": "openssl"}
"""Programs, and the packages of Debian that hold them."""
ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "PERFORMANCE.md"
PEERS = tuple(peer.name for peer in peers(Path()))
REPLAY, START, MICRO = "replay", "start", "micro"
NAMES = (*(workload.name for workload in WORKLOADS), *(paced.name for paced in PACED), REPLAY, START, MICRO)
"""Everything that can be measured, in the order in which it is."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was chosen on the command line."""

    short: bool
    names: frozenset[str]
    rounds: int
    seconds: int
    peers: frozenset[str]
    docs: bool
    out: Path


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        packages = " ".join(NEEDED[name] for name in missing)
        print(f"scripts/bench needs {', '.join(missing)}: apt-get install -y {packages}", file=sys.stderr)
        return 2
    report = Report(machine(), options.short)
    say = progress(time.monotonic())
    say(report.machine)
    with tempfile.TemporaryDirectory(prefix="ucr-bench-") as folder:
        is_whole = trio.run(run_all, options, report, Path(folder), say)
    print(f"\n{report.markdown()}", flush=True)
    write(report, options.out)
    if options.docs and is_whole:
        show(report)
    say(f"report.md, report.json and plots are in {options.out}")
    return 0 if is_whole else 1


def show(report: Report) -> None:
    """Put the figures and plots into the page of the documentation."""
    PAGE.write_text(with_figures(PAGE.read_text("utf-8"), report.summary()), "utf-8")
    for name, text in pictures(report).items():
        (PAGE.parent / f"performance-{name}").write_text(text, "utf-8")


def parse(arguments: Sequence[str] | None) -> Options:
    """Read the command line; ends the process for what is wrong with it."""
    names = ", ".join(NAMES)
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help=f"one or two minutes: {', '.join(short_names())}")
    parser.add_argument("--only", action="append", metavar="NAME", default=[], help=f"one or more of {names}")
    parser.add_argument("--rounds", type=int, help="measurements of each contender (default: 5, short: 3)")
    parser.add_argument("--seconds", type=int, help="of each measurement (default: 4, short: 2)")
    parser.add_argument(
        "--peers",
        nargs="*",
        choices=PEERS,
        metavar="NAME",
        help=f"install other routers and measure them as well: all, or some of {', '.join(PEERS)}",
    )
    parser.add_argument("--docs", action="store_true", help="put the figures into docs/PERFORMANCE.md")
    parser.add_argument(
        "--out", default=ROOT / "build/bench", metavar="FOLDER", type=Path, help="for the report"
    )
    found = parser.parse_args(arguments)
    if unknown := set(found.only) - set(NAMES):
        parser.error(f"nothing is called {', '.join(sorted(unknown))}; there are {names}")
    return Options(
        short=found.short,
        names=frozenset(found.only or (short_names() if found.short else NAMES)),
        rounds=found.rounds or (3 if found.short else 5),
        seconds=found.seconds or (2 if found.short else 4),
        peers=frozenset(PEERS if found.peers == [] else found.peers or ()),
        docs=found.docs,
        out=found.out,
    )


def short_names() -> tuple[str, ...]:
    """Return what the short form measures."""
    return (*SHORT, *SHORT_PACED, START, MICRO)


def progress(started: float) -> Callable[[str], None]:
    """Return what prints a line with the seconds that have passed."""

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:5.0f} s] {text}", file=sys.stderr, flush=True)

    return say


async def run_all(options: Options, report: Report, folder: Path, say: Callable[[str], None]) -> bool:
    """Measure everything that was chosen; False when a signal ended it. No process is left either way."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop_at_signal, nursery.cancel_scope)
        contenders: list[Contender] = [Nginx(), Ucr(), Direct()]
        contenders += await installed(options.peers, report, say)
        certificate = await bench_nginx.certify(folder)
        async with bench_nginx.upstream(folder / "upstream", certificate) as origins:
            bench = Bench(options.rounds, options.seconds, contenders, origins, certificate, folder, say)
            await measure_requests(bench, options, report)
            await measure_streams(bench, options, report)
            await measure_rest(bench, options, report)
        nursery.cancel_scope.cancel(reason="everything is measured")
        return True
    return False


async def installed(names: Collection[str], report: Report, say: Callable[[str], None]) -> list[Contender]:
    """Install peers; return those that could be, and note in the report which could not."""
    found: list[Contender] = []
    for peer in (peer for peer in peers(cache_folder()) if peer.name in names):
        say(f"installing {peer.package}")
        try:
            await install(peer)
        except (BenchError, OSError) as error:
            report.notes.append(f"{peer.name} is not there: {error}")
        else:
            found.append(peer)
    return found


async def measure_requests(bench: Bench, options: Options, report: Report) -> None:
    for workload in WORKLOADS:
        if workload.name in options.names:
            bench.say(f"{workload.name}: {workload.title}")
            report.workloads.append((workload, await measure(bench, workload)))
            bench.say(table(*report.workloads[-1]))
            write(report, options.out)


async def measure_streams(bench: Bench, options: Options, report: Report) -> None:
    """Hold streams open: fewer rounds than of requests, and longer ones."""
    wanted = [paced for paced in PACED if paced.name in options.names]
    is_needed = wanted or REPLAY in options.names
    program = await bench_streams.build(bench.folder) if is_needed else Path()
    for paced in wanted:
        bench.say(f"{paced.name}: {paced.title}")
        longer = replace(bench, rounds=max(1, bench.rounds // 2), seconds=bench.seconds * 3)
        report.paced.append((paced, await bench_streams.hold(longer, paced, program)))
        bench.say(paced_table(*report.paced[-1]))
        write(report, options.out)
    if REPLAY in options.names:
        bench.say("replay of a recorded session by many users")
        report.replay = await bench_replay.replay(bench, program)
        write(report, options.out)


async def measure_rest(bench: Bench, options: Options, report: Report) -> None:
    if START in options.names:
        bench.say("start and rest")
        times, idle_s = (3, 5.0) if options.short else (5, 60.0)
        report.start = await starts(bench, times=times, idle_s=idle_s)
    if MICRO in options.names:
        bench.say("micro-benchmarks")
        report.micro = await trio.to_thread.run_sync(micro, 1000 if options.short else 5000)


def write(report: Report, folder: Path) -> None:
    """Write the report, as far as it has come, into a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"report.md": report.markdown(), "report.json": report.as_json(), **pictures(report)}
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
