"""Levels of load: so many connections for so long, with the faults that were asked for, or without any."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import trio

from ucr.stress.real.load import Load, Plan, Shot
from ucr.stress.real.memory import GROWTH_MIB, MORE_DESCRIPTORS, Taken, more, settled, taken
from ucr.stress.real.processes import show_wrong
from ucr.stress.real.report import Report, quantile, said
from ucr.stress.real.router import Served, configuration
from ucr.stress.real.run import Run
from ucr.stress.real.storms import KINDS, Storm

CONNECTIONS: Mapping[str, int] = MappingProxyType({"light": 50, "medium": 100, "heavy": 200})
"""How many clients each level has, of which each has one connection."""
MINUTES, SOAK_MINUTES = 1.0, 60.0
WARM_UP_SHARE = 0.2
"""After this part of the time it is measured what each process takes."""
PAUSE_S = 0.4
"""Between two requests of a client, on average."""
GAP_S, BACK_S = 1.0, 2.0
MODELS = ("m", "m", "beta/m")
MOST_TIMES = 20_000
"""Of so many answers the times are kept, spread over the whole run."""


@dataclass(slots=True)
class Counts:
    """What became of the requests of a run, in as much memory for an hour as for a minute."""

    verdicts: Counter[str] = field(default_factory=Counter)
    wrong: list[Shot] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    longest_gap_s: float = 0.0
    _last_ok: float | None = None
    _every: int = 1

    def add(self, shots: Iterable[Shot]) -> None:
        """Count requests, in the order in which they ended."""
        for shot in shots:
            self.verdicts[shot.verdict] += 1
            if shot.verdict == "ok":
                self._add_good(shot)
            else:
                self.wrong.append(shot)

    def _add_good(self, shot: Shot) -> None:
        if self._last_ok is not None:
            self.longest_gap_s = max(self.longest_gap_s, shot.finished_at - self._last_ok)
        self._last_ok = shot.finished_at
        if self.verdicts["ok"] % self._every == 0:
            self.times.append(shot.latency_s)
        if len(self.times) > MOST_TIMES:
            self.times, self._every = self.times[1::2], 2 * self._every


async def under_load(run: Run, level: str, seconds: float, faults: tuple[str, ...]) -> None:
    """Keep a router under the load of a level for so long, while faults strike; report what came of it."""
    counts = Counts()
    plan = Plan(CONNECTIONS[level], PAUSE_S, orders="pieces=4 pause=0.01", models=MODELS)
    async with (
        run.upstreams("alpha", "beta") as (alpha, beta),
        run.router(configuration(Served(alpha), Served(beta, "openai-chat"))) as router,
    ):
        idle = taken(router)
        async with run.loaded(router, plan) as load:
            storm = Storm(run, router, load, (alpha, beta), run.dice("faults"), KINDS)
            await _counted(run, load, counts, seconds * WARM_UP_SHARE)
            before = taken(router)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(storm.blow, faults)
                await _counted(run, load, counts, seconds * (1 - WARM_UP_SHARE))
                nursery.cancel_scope.cancel(reason="the time is over")
            loaded = taken(router)
        counts.add(load.shots)
        after = await settled(router, (alpha, beta))
    report_load(run.report, level, counts, storm, seconds)
    report_growth(run.report, level, (before, loaded), (idle, after))


async def _counted(run: Run, load: Load, counts: Counts, seconds: float) -> None:
    """Let the load go on, and count each second what has ended."""
    end = trio.current_time() + seconds
    while trio.current_time() < end:
        await trio.sleep(min(1.0, end - trio.current_time()))
        shots = load.take()
        counts.add(shots)
        run.timeline.add(shots)


def report_load(report: Report, level: str, counts: Counts, storm: Storm, seconds: float) -> None:
    """Report what became of the requests and how long the faults took."""
    total, times = counts.verdicts.total(), counts.times
    excused = [shot for shot in counts.wrong if storm.excuses(shot)]
    wrong = [shot for shot in counts.wrong if shot not in excused]
    report.told(level, "requests a second", f"{total / seconds:.0f}", total)
    for share in (0.5, 0.95, 0.99):
        report.told(level, f"p{share * 100:.0f}", said(quantile(times, share)), len(times))
    report.count(level, "lost", sum(shot.verdict == "lost" for shot in wrong), 0, total)
    report.count(level, "crossed", counts.verdicts["crossed"], 0, total)
    report.count(level, "errors", sum(shot.verdict == "error" for shot in wrong), 0, total)
    report.time(level, "longest gap without an answer", counts.longest_gap_s, GAP_S, total)
    if storm.took_s:
        report.told(level, "in flight where a fault struck", str(len(excused)), total)
    for kind, took_s in storm.took_s.items():
        report.told(level, f"{kind}: the longest took", said(max(took_s)), len(took_s))
    if storm.kills:
        back_s = max(kill.back_s for kill in storm.kills)
        report.time(level, "longest time to full strength", back_s, BACK_S, len(storm.kills))
    if storm.left:
        report.count(
            level, "leavers that the provider did not see", storm.left["unseen"], 0, storm.left.total()
        )
    show_wrong(report, wrong)


def report_growth(
    report: Report, level: str, memory: tuple[Taken, Taken], handles: tuple[Taken, Taken]
) -> None:
    """Report how much more each process takes that lived through it all."""
    lived = memory[0].memory.keys() & memory[1].memory.keys()
    grown, opened = (
        more(memory[0].memory, memory[1].memory),
        more(handles[0].descriptors, handles[1].descriptors),
    )
    report.ratio(level, "growth of one process", grown, GROWTH_MIB, len(lived), " MiB")
    report.count(level, "descriptors more in one process", int(opened), MORE_DESCRIPTORS, len(lived))
