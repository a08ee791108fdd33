"""Processes of the benchmark: started in a group of their own, ended with all that came of them, and measured."""

import os
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import trio

from ucr.stress.real.load import open_line, until
from ucr.stress.real.router import children, is_alive, is_refused, processor_s, resident_bytes, send

START_LIMIT_S = 240.0
"""The slowest of the peers takes half a minute on an idle machine."""
END_LIMIT_S = 5.0
ANSWER_LIMIT_S = 30.0

T = TypeVar("T")


class BenchError(Exception):
    """Something could not be measured; the message says what and why."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes: of all processes, and of the largest one."""

    total_bytes: int
    largest_bytes: int


@asynccontextmanager
async def running_process(
    command: Sequence[str], folder: Path, *, ports: Iterable[int], variables: Mapping[str, str] | None = None
) -> AsyncIterator[trio.Process]:
    """Run a program as long as the block, which begins when it listens on these ports.

    What it writes goes to `output.log` in the folder. Raise `BenchError` when it ends or does not listen in time.
    """
    output = folder / "output.log"
    with output.open("ab") as file:
        process = await trio.lowlevel.open_process(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd=folder,
            env=dict(os.environ) | dict(variables or {}),
            start_new_session=True,
        )
    try:
        await _listening(command[0], process, list(ports), output)
        yield process
    finally:
        await end_group(process)


async def _listening(name: str, process: trio.Process, ports: list[int], output: Path) -> None:
    with trio.move_on_after(START_LIMIT_S) as scope:
        await until(lambda: process.poll() is not None or not any(is_refused(port) for port in ports))
    if scope.cancelled_caught or process.poll() is not None:
        how = "does not listen" if process.poll() is None else f"ended with {process.returncode}"
        raise BenchError(f"{name} {how}: {tail(output)}")


def tail(file: Path, chars: int = 600) -> str:
    """Return the end of what a program wrote, in one line."""
    return " ".join(file.read_text("utf-8", "replace").split())[-chars:]


async def end_group(process: trio.Process) -> None:
    """End a process and its group; what takes longer than the limit is killed."""
    with trio.CancelScope(shield=True):
        pids = family(process.pid)
        _send_group(process.pid, signal.SIGTERM)
        with trio.move_on_after(END_LIMIT_S):
            await process.wait()
        _send_group(process.pid, signal.SIGKILL)
        await process.wait()
        with trio.move_on_after(END_LIMIT_S):
            await until(lambda: not any(map(is_alive, pids)))


def _send_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        send(group, number)


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    return [pid, *(descendant for child in children(pid) for descendant in family(child))]


def spent_s(pids: Iterable[int]) -> float:
    """Return the processor time that processes have used."""
    return sum(processor_s(pid) for pid in pids)


def memory_of(pids: Iterable[int]) -> Memory:
    """Return what processes take of memory now; pages that they share count for each."""
    sizes = [resident_bytes(pid) for pid in pids] or [0]
    return Memory(sum(sizes), max(sizes))


async def watched(
    call: Callable[[], Awaitable[T]], pids: Callable[[], Sequence[int]], seconds: float
) -> tuple[T, float, Memory]:
    """Run something that takes about so many seconds; return what it does, and what processes took meanwhile.

    Memory is looked at after four fifths of the time. Raise `BenchError` when the call does.
    """
    seen: list[Memory] = []
    found: list[T] = []
    failure: BenchError | None = None

    async def look() -> None:
        await trio.sleep(seconds * 0.8)
        seen.append(memory_of(pids()))

    ids = pids()
    before = spent_s(ids)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(look)
        try:
            found.append(await call())
        except BenchError as error:
            failure = error
        nursery.cancel_scope.cancel(reason="the call is over")
    if failure is not None:
        raise failure
    return found[0], spent_s(ids) - before, seen[0] if seen else memory_of(ids)


async def checked(
    port: int, request: bytes, expected: bytes, who: str, limit_s: float = ANSWER_LIMIT_S
) -> None:
    """Send a request until it is answered with 200 and holds what is expected; raise `BenchError` when it never is.

    A program may listen before it is able to serve.
    """
    said = "no answer"
    with trio.move_on_after(limit_s):
        while True:
            try:
                line = await open_line(port)
            except OSError as error:
                said = f"no connection: {error}"
            else:
                async with line.stream:
                    answer = await line.exchange(request)
                if answer.status == 200 and expected in answer.body:
                    return
                text = bytes(answer.body[-300:]).decode("utf-8", "replace")
                said = f"status {answer.status}, {answer.detail or text}"
            await trio.sleep(0.25)
    raise BenchError(f"{who} does not answer as it should: {said}")
