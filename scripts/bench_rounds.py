"""Rounds: all contenders do the same work one after the other, again and again, and what counts is the median.

A machine that is busy with other things makes everybody slower alike, so ratios are made within each round, of two
measurements that are seconds apart, before the median is taken.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

import trio
from bench_bodies import Question, expected, question
from bench_contenders import Contender, Kind, Running, Setting
from bench_nginx import Canned, Certificate, Origin
from bench_process import BenchError, Memory, checked, memory_of, watched
from bench_workloads import Workload
from bench_wrk import Load, load

WARM_S = 1.0
SETTLE_S = 1.0
"""How long a contender is left alone before its idle memory is looked at."""
NUMBERS = 10_000_000
"""How far apart the numbers of two rounds begin, so that no body is used twice."""
REFERENCE = "nginx"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sample:
    """One contender in one round."""

    load: Load
    cpu_s: float
    memory: Memory

    @property
    def cpu_us(self) -> float:
        """Processor time of a request in µs."""
        return self.cpu_s / self.load.requests * 1e6 if self.load.requests else 0.0


@dataclass(slots=True)
class Measured:
    """All rounds of one contender with one workload. `failure` says why there are none."""

    contender: str
    idle: Memory = Memory(0, 0)
    samples: list[Sample] = field(default_factory=list)
    failure: str = ""

    def median(self, read: Callable[[Sample], float]) -> float:
        return median(map(read, self.samples)) if self.samples else 0.0

    @property
    def cpu_us(self) -> float:
        return self.median(lambda sample: sample.cpu_us)

    @property
    def errors(self) -> int:
        return sum(sample.load.failed + sample.load.refused for sample in self.samples)

    @property
    def is_sound(self) -> bool:
        """False when nothing was measured, or more than one request in a hundred failed."""
        requests = sum(sample.load.requests for sample in self.samples)
        return requests > 0 and self.errors * 100 <= requests


@dataclass(frozen=True, slots=True)
class Bench:
    """What every measurement needs: how long and how often, who, against what, and where files may lie."""

    rounds: int
    seconds: float
    contenders: Sequence[Contender]
    origins: Mapping[Canned, Origin]
    certificate: Certificate
    folder: Path
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Seat:
    """A contender that runs, and the request that it is asked."""

    running: Running
    asked: Question
    measured: Measured
    folder: Path


async def measure(bench: Bench, workload: Workload) -> list[Measured]:
    """Measure every contender that can do a workload; who does not start or answer is told as failed."""
    folder = bench.folder / workload.name
    folder.mkdir()
    setting = Setting(
        bench.origins[Canned(workload.provider, workload.stream, workload.tls)],
        workload.client,
        workload.provider,
        workload.workers,
        workload.cache,
        folder,
        bench.certificate,
        kind_of(workload),
    )
    results: list[Measured] = []
    async with AsyncExitStack() as stack:
        seats: list[_Seat] = []
        for contender in bench.contenders:
            if contender.can(setting):
                measured = Measured(contender.name)
                results.append(measured)
                seats += await _seated(stack, contender, setting, workload, measured)
        for number in range(rounds_of(bench.rounds, workload) + 1):
            for seat in turned(seats, number):
                await _round(bench, seat, workload, number)
    return results


def kind_of(workload: Workload) -> Kind:
    """Return whom a workload is for: peers do what every router can do, and the upstream alone single requests."""
    if workload.connections == 1:
        return "single"
    return "plain" if workload.is_plain else "own"


def rounds_of(rounds: int, workload: Workload) -> int:
    """Return how often a workload is measured: one without a budget less often."""
    return rounds if workload.budget is not None else math.ceil(rounds * 0.6)


async def _seated(
    stack: AsyncExitStack, contender: Contender, setting: Setting, workload: Workload, measured: Measured
) -> list[_Seat]:
    """Start a contender and see that it answers rightly; give it a seat, or note why it has none."""
    try:
        running = await stack.enter_async_context(contender.running(setting))
        asked = question(
            running.port,
            workload.client,
            workload.size,
            stream=workload.stream,
            path=running.path,
            model=running.model,
            headers=running.headers,
        )
        await checked(running.port, asked.whole(), expected(stream=workload.stream), contender.name)
    except (BenchError, OSError) as error:
        measured.failure = str(error)
        return []
    await trio.sleep(SETTLE_S)
    measured.idle = memory_of(running.pids())
    folder = setting.folder / f"load-{contender.name}"
    folder.mkdir()
    return [_Seat(running, asked, measured, folder)]


async def _round(bench: Bench, seat: _Seat, workload: Workload, number: int) -> None:
    """Measure once; round 0 is to get warm. Who cannot be measured is left out from then on."""
    measured = seat.measured
    if measured.failure:
        return
    try:
        sample = await _sample(seat, workload, bench.seconds if number else WARM_S, number)
    except BenchError as error:
        measured.failure = str(error)
        measured.samples.clear()
        return
    if number:
        measured.samples.append(sample)
        bench.say(
            f"  {workload.name} round {number} {measured.contender:10} "
            f"{sample.cpu_us:8.0f} µs  {sample.load.per_s:8.0f}/s  p50 {sample.load.p50_us / 1000:.2f} ms"
        )


async def _sample(seat: _Seat, workload: Workload, seconds: float, number: int) -> Sample:
    ask = partial(
        load,
        seat.folder,
        seat.running.port,
        seat.asked,
        connections=workload.connections,
        seconds=seconds,
        first=number * NUMBERS,
        unique=workload.unique,
    )
    return Sample(*await watched(ask, seat.running.pids, seconds))


def turned(seats: Sequence[T], number: int) -> list[T]:
    """Return a round's order: every contender comes first as often as any other."""
    start = (number - 1) % len(seats) if seats else 0
    return [*seats[start:], *seats[:start]]


def ratio(
    measured: Measured, reference: Measured | None, read: Callable[[Sample], float] = lambda s: s.cpu_us
) -> float | None:
    """Return how many times as much as the reference: the median of the rounds; None when there is none."""
    if reference is None:
        return None
    pairs = zip(measured.samples, reference.samples, strict=False)
    found = [read(mine) / other for mine, theirs in pairs if (other := read(theirs)) > 0]
    return median(found) if found else None


def named(results: Iterable[Measured], name: str) -> Measured | None:
    """Return the results of one contender, when it has any."""
    return next((measured for measured in results if measured.contender == name and measured.samples), None)
