"""Streams that are held open at the same time, and how late their events are.

`sse_bench.c` is both ends: its upstream writes the time of sending into each event, and its client, on the same clock,
says how much later the event arrived. What `direct` takes is the price of the two alone.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import trio
from bench_bodies import EVENTS, PATHS, body, client_headers, expected_head, question
from bench_contenders import Contender, Running, Setting
from bench_nginx import Origin, free_ports
from bench_process import BenchError, Memory, checked, memory_of, running_process, watched
from bench_rounds import SETTLE_S, Bench, turned
from bench_workloads import Paced

from ucr.stress.real.upstream import LOOPBACK

SOURCE = Path(__file__).resolve().parent / "sse_bench.c"
GAP_MS = 50
FIRST_MS = 200
FEW_STREAMS = 100
"""More of them are not held through other routers, some of which would take minutes."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """How much later than it was sent an event arrived, in µs."""

    n: int
    p50: int
    p90: int
    p99: int
    p999: int
    max: int


@dataclass(frozen=True, slots=True)
class Stay:
    """One round of one contender. `lost` streams failed or were cut off."""

    completed: int
    lost: int
    events: int
    first: Lateness
    later: Lateness
    cpu_s: float
    memory: Memory

    @property
    def cpu_us(self) -> float:
        """Processor time of an event in µs, with its share of the stream's opening and end."""
        return self.cpu_s / self.events * 1e6 if self.events else 0.0


@dataclass(slots=True)
class Held:
    """All rounds of one contender. `failure` says why there are none."""

    contender: str
    idle: Memory = Memory(0, 0)
    stays: list[Stay] = field(default_factory=list)
    failure: str = ""

    def median(self, read: Callable[[Stay], float]) -> float:
        return median(map(read, self.stays)) if self.stays else 0.0


async def build(folder: Path) -> Path:
    """Compile the program into a folder; raise `BenchError` when that fails."""
    program = folder / "sse_bench"
    compiler = shutil.which("cc") or "cc"
    made = await trio.run_process(
        [compiler, "-O2", "-w", "-o", str(program), str(SOURCE)], capture_stderr=True, check=False
    )
    if made.returncode != 0:
        raise BenchError(f"{SOURCE.name} does not compile: {made.stderr.decode('utf-8', 'replace')[-300:]}")
    return program


async def hold(bench: Bench, paced: Paced, program: Path) -> list[Held]:
    """Hold streams open through every contender in turn."""
    folder = await _new_folder(bench.folder / paced.name)
    (port,) = free_ports(1)
    serve = [str(program), "serve", str(port), str(EVENTS), str(GAP_MS), str(FIRST_MS)]
    results: list[Held] = []
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running_process(serve, folder, ports=[port]))
        setting = Setting(
            Origin(port),
            "anthropic",
            "openai-chat",
            paced.workers,
            False,
            folder,
            bench.certificate,
            "paced" if paced.streams <= FEW_STREAMS else "crowd",
        )
        seats: list[tuple[Held, Running]] = []
        for contender in bench.contenders:
            if contender.can(setting):
                held = Held(contender.name)
                results.append(held)
                seats += await _seated(stack, contender, setting, held)
        for number in range(1, bench.rounds + 1):
            for held, running in turned(seats, number):
                try:
                    stay = await _stay(program, folder, paced.streams, bench.seconds, running)
                except BenchError as error:
                    held.failure = str(error)
                    continue
                held.stays.append(stay)
                bench.say(
                    f"  {paced.name} round {number}/{bench.rounds} {held.contender:10} "
                    f"{stay.cpu_us:6.0f} µs/event  first p99 {stay.first.p99 / 1000:.1f} ms  "
                    f"later p50 {stay.later.p50 / 1000:.1f} p99 {stay.later.p99 / 1000:.1f} ms  lost {stay.lost}"
                )
    return results


async def _new_folder(folder: Path) -> Path:
    await trio.Path(folder).mkdir()
    return folder


async def _seated(
    stack: AsyncExitStack, contender: Contender, setting: Setting, held: Held
) -> list[tuple[Held, Running]]:
    try:
        running = await stack.enter_async_context(contender.running(setting))
        asked = question(
            running.port,
            "anthropic",
            "small",
            stream=True,
            path=running.path,
            model=running.model,
            headers=running.headers,
        )
        await checked(running.port, asked.whole(), expected_head(), contender.name)
    except (BenchError, OSError) as error:
        held.failure = str(error)
        return []
    await trio.sleep(SETTLE_S)
    held.idle = memory_of(running.pids())
    return [(held, running)]


async def _stay(program: Path, folder: Path, streams: int, seconds: float, running: Running) -> Stay:
    """Hold streams open through one contender for a while."""
    file = folder / "body.json"
    await trio.Path(file).write_bytes(body("anthropic", "small", stream=True, model=running.model))
    command = load_command(program, streams, seconds, file, running)

    async def ask() -> bytes:
        found = await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)
        return found.stdout

    return stay_of(*await watched(ask, running.pids, seconds))


def load_command(program: Path, streams: int, seconds: float, file: Path, running: Running) -> list[str]:
    """Return the command line of the load client."""
    path = running.path or PATHS["anthropic"]
    headers = [f"{name}: {value}" for name, value in (*client_headers("anthropic", "small"), *running.headers)]
    own = {"anthropic-version", "content-type"}
    kept = [header for header in headers if header.partition(":")[0] not in own]
    where = [LOOPBACK, str(running.port), path]
    return [str(program), "load", *where, str(streams), str(seconds), str(file), *kept]


def stay_of(output: bytes, cpu_s: float, memory: Memory) -> Stay:
    """Read what the load client says at its end; raise `BenchError` when it says nothing."""
    lines = output.splitlines()
    if not lines:
        raise BenchError("the load client of streams said nothing")
    found: dict[str, Any] = json.loads(lines[-1])
    return Stay(
        found["completed"],
        found["failed"] + found["unfinished"],
        found["events"],
        _lateness(found["first_event_us"]),
        _lateness(found["later_event_us"]),
        cpu_s,
        memory,
    )


def _lateness(found: dict[str, int] | None) -> Lateness:
    return Lateness(**found) if found else Lateness(0, 0, 0, 0, 0, 0)


def added_ms(held: Held, direct: Held | None, read: Callable[[Stay], float]) -> float:
    """Return what a contender adds to the time that the two ends take alone, in ms, never below 0."""
    base = direct.median(read) if direct is not None else 0.0
    return max(0.0, held.median(read) - base) / 1000


def direct_of(results: Sequence[Held]) -> Held | None:
    return next((held for held in results if held.contender == "direct" and held.stays), None)
