"""Targets of what there is too little of: a disk that is full, and more work than a provider takes."""

import json
import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import trio

from ucr.stress.real.disk import Disk, disk_in
from ucr.stress.real.load import Load, Plan, Shot, having, shoot
from ucr.stress.real.processes import show_wrong
from ucr.stress.real.report import Report, quantile
from ucr.stress.real.router import Router, Served, configuration
from ucr.stress.real.run import Run, measured

FILES = """
[logging]
file = "{folder}/router.log"
[cache]
path = "{folder}/cache.sqlite3"
"""
TOLD = ("usage.unwritten", "journal.unwritten", "cache.failed")
"""What the log says of each file that cannot be written, until it can."""
SETTLED_S = 3.0
"""What waits is written once a second."""

PERMITS = 16
PENDING = PERMITS // 4
PACE = "pieces=2 pause=0.1"
TIMES = 3
GOODPUT, SLOWER, REFUSED_S = 0.9, 2.0, 0.05
SHORT_SLOWER = 1.25
"""So much more may it be in the short form: most of a time is spent at the provider, however busy the machine is."""


async def full_disk(run: Run) -> None:
    """R16: while no file can be written every request is answered; each is told of once, and written later."""
    seconds = run.pick(20.0, 4.0)
    with disk_in(run.folder / "disk", is_root=os.geteuid() == 0) as disk:
        async with run.upstreams("alpha") as (alpha,):
            text = configuration(Served(alpha)) + FILES.format(folder=disk.folder)
            state = disk.folder / "state"
            async with run.router(text, workers=2, variables={"UCR_STATE_DIR": str(state)}) as router:
                async with run.loaded(router) as load:
                    await measured(load, seconds / 2)
                    before = router.all_pids()
                    lines = await _while_full(run, router, load, disk, seconds)
                    await measured(load, seconds / 2)
                await trio.sleep(SETTLED_S)
                replaced = set(before) - set(router.all_pids())
        _report_disk(run, load.shots, lines, disk)
        run.report.count("R16", "processes replaced", len(replaced), 0, len(before))


async def _while_full(run: Run, router: Router, load: Load, disk: Disk, seconds: float) -> list[str]:
    """Let the load go on with a full disk; return what the log said meanwhile."""
    since, pids = len(router.log), router.all_pids()
    run.timeline.mark("full disk")
    disk.fill(pids)
    try:
        await measured(load, seconds)
    finally:
        disk.free(pids)
    run.timeline.mark("room again")
    return [line.event for line in router.log[since:]]


def _report_disk(run: Run, shots: list[Shot], events: list[str], disk: Disk) -> None:
    report = run.report
    report.told("R16", "the disk", disk.kind, 1)
    report.count("R16", "not ok", len(shots) - len(having(shots, "ok")), 0, len(shots))
    for event in TOLD:
        report.fact("R16", f"{event} is told once", events.count(event) == 1)
    for name, table in (("usage", "usage"), ("journal", "journal")):
        missing = len(shots) - rows_in(disk.folder / "state" / f"{name}.sqlite3", table)
        report.count("R16", f"requests missing in the {name} file afterwards", abs(missing), 0, len(shots))
    finished, dropped = lines_of(disk.folder / "router.log")
    report.fact("R16", "the log file says that lines were lost", dropped > 0)
    missing = max(0, len(shots) - finished - dropped)
    report.count("R16", "requests neither in the log file nor told to be lost", missing, 0, len(shots))
    show_wrong(report, shots)


def rows_in(path: Path, table: str) -> int:
    """Return how many rows a table has; 0 when there is no such file."""
    if not path.is_file():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
        (count,) = file.execute(f"select count(*) from {table}").fetchone()
    return int(count)


def lines_of(path: Path) -> tuple[int, int]:
    """Return how many requests a log file tells of, and how many lines it says were dropped."""
    finished = dropped = 0
    for line in path.read_bytes().splitlines():
        try:
            fields = json.loads(line)
        except ValueError:
            continue
        finished += fields["event"] == "request.finished"
        dropped += int(fields.get("lines", 0)) if fields["event"] == "log.dropped" else 0
    return finished, dropped


async def overload(run: Run) -> None:
    """R20: three times the work that a provider takes costs neither its throughput nor who is admitted."""
    seconds = run.pick(20.0, 4.0)
    limits = f"max_requests = {PERMITS}\nmax_pending = {PENDING}"
    async with run.upstreams("alpha") as (alpha,):
        text = configuration(Served(alpha)).replace("max_requests = 400\nmax_pending = 400", limits)
        async with run.router(text, workers=2) as router:
            async with run.loaded(router, Plan(clients=PERMITS, pause_s=0.0, orders=PACE)) as load:
                await measured(load, 1.0)
                start, end = await measured(load, seconds)
            peak = within(load.shots, start, end)
            run.timeline.mark("overload")
            rate = TIMES * len(peak) / seconds
            offered = await _offered(run, router, rate, seconds + 1.0)
            run.timeline.mark("over")
    start = offered[0].sent_at + 1.0
    report_overload(run.report, peak, within(offered, start, start + seconds), offered)


async def _offered(run: Run, router: Router, rate: float, seconds: float) -> list[Shot]:
    """Send requests at a rate, each on a connection of its own, whatever becomes of those before."""
    shots, start = list[Shot](), trio.current_time()
    dice = run.dice("R20")

    async def send() -> None:
        shots.append(await shoot(router.port, run.marks, stream=dice.random() < 0.5, orders=PACE))

    async with trio.open_nursery() as nursery:
        for number in range(int(rate * seconds)):
            await trio.sleep_until(start + number / rate)
            nursery.start_soon(send)
    run.timeline.add(shots)
    return sorted(shots, key=lambda shot: shot.sent_at)


def within(shots: Iterable[Shot], start: float, end: float) -> list[Shot]:
    """Return the good answers that came in this time."""
    return [shot for shot in having(shots, "ok") if start <= shot.finished_at < end]


def report_overload(report: Report, peak: list[Shot], good: list[Shot], offered: list[Shot]) -> None:
    """Report what came of three times the work beside what came of as much as is taken."""
    at_peak, over = (quantile((shot.latency_s for shot in some), 0.99) for some in (peak, good))
    refused = [shot for shot in having(offered, "error") if shot.status == 529 and shot.retry_after.isdecimal()]
    others = len(offered) - len(refused) - len(having(offered, "ok"))
    quick = quantile((shot.latency_s for shot in refused), 0.99)
    report.share(
        "R20", f"goodput at {TIMES} times the capacity", len(good) / max(1, len(peak)), GOODPUT, len(good)
    )
    report.told("R20", "p99 at the capacity", f"{at_peak * 1000:.0f} ms", len(peak))
    most = SLOWER * (SHORT_SLOWER if report.short else 1.0)
    report.ratio(
        "R20", "p99 of who is admitted, of that", over / max(at_peak, 0.001), most, len(good), " times"
    )
    report.fact("R20", "what is too much is refused with 529 and retry-after", bool(refused), len(refused))
    report.time("R20", "p99 of the refusals", quick, REFUSED_S, len(refused))
    report.count("R20", "anything else", others, 0, len(offered))
    show_wrong(report, [shot for shot in offered if shot not in refused])
