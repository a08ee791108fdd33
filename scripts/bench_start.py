"""How long UCR takes to start, and what it takes while nobody asks it anything."""

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import trio
from bench_bodies import expected, question
from bench_contenders import Setting, ucr_file
from bench_nginx import Canned, free_ports
from bench_process import checked, family, memory_of, running_process, spent_s
from bench_rounds import Bench

from ucr.stress.real.router import command_line, environment, slot_of, written


@dataclass(frozen=True, slots=True)
class Idle:
    """A process of the router, after its first answer: its memory, and its share of a core."""

    name: str
    resident_bytes: int
    share: float


@dataclass(frozen=True, slots=True)
class Start:
    """Medians of several starts. `answered_s` is from the start of the process to its first whole answer."""

    version_s: float
    answered_s: float
    idle: tuple[Idle, ...]


async def starts(bench: Bench, *, times: int, idle_s: float) -> Start:
    """Start the router several times; the last one is then watched while it has nothing to do."""
    versions = [await _version_s() for _ in range(times)]
    answered: list[float] = []
    idle: tuple[Idle, ...] = ()
    for number in range(times):
        seconds, idle = await _serve(bench, number, idle_s if number == times - 1 else 0)
        answered.append(seconds)
    bench.say(f"  --version {median(versions):.3f} s, first answer after {median(answered):.3f} s")
    return Start(median(versions), median(answered), idle)


async def _version_s() -> float:
    start = trio.current_time()
    await trio.run_process([sys.executable, "-m", "ucr.cli", "--version"], capture_stdout=True)
    return trio.current_time() - start


async def _serve(bench: Bench, number: int, idle_s: float) -> tuple[float, tuple[Idle, ...]]:
    folder, (port,) = bench.folder / f"start-{number}", free_ports(1)
    setting = Setting(
        bench.origins[Canned("openai-chat", False, False)],
        "anthropic",
        "openai-chat",
        1,
        False,
        folder,
        bench.certificate,
    )
    file = await trio.to_thread.run_sync(partial(written, folder, ucr_file(setting)))
    command = [sys.executable, "-m", "ucr.cli", "serve", "--config", str(file), "--port", str(port)]
    asked = question(port, "anthropic", "small", stream=False).whole()
    start = trio.current_time()
    async with running_process(
        [*command, "--workers", "1"], folder, ports=[port], variables=environment(folder)
    ) as process:
        await checked(port, asked, expected(stream=False), "UCR")
        seconds = trio.current_time() - start
        return seconds, await _idle(process.pid, idle_s) if idle_s else ()


async def _idle(pid: int, seconds: float) -> tuple[Idle, ...]:
    """Watch every process of a router for a while."""
    await trio.sleep(1.0)
    pids = family(pid)
    before = [spent_s([one]) for one in pids]
    await trio.sleep(seconds)
    return tuple(
        Idle(role_of(one, pid), memory_of([one]).total_bytes, (spent_s([one]) - spent) / seconds)
        for one, spent in zip(pids, before, strict=True)
    )


def role_of(pid: int, parent: int) -> str:
    """Return what a process of the router is."""
    if pid == parent:
        return "parent"
    if (slot := slot_of(pid)) is not None:
        return f"worker {slot}"
    return "store" if "ucr.store" in command_line(pid) else Path(command_line(pid).split(" ")[0]).name
