"""A crew whose workers are tasks of this process: the same messages, streams of memory, time that jumps.

Each worker is the real end of the control stream (`ucr.link`), and follows configurations as it is scripted to.
"""

import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import trio
from trio.testing import memory_stream_pair

from actors import Count, open_supervisor
from actors.totals import Totals as Counted
from ucr.config.model import Config
from ucr.crew import Crew, open_crew
from ucr.hired import Process, Sockets
from ucr.link import ControlChild, Link
from ucr.logs import Log, make_log
from ucr.messages import Applied, Lesson, Lines, Reconfigure, Tune
from ucr.pressure import Level
from ucr.spawn import Exit
from ucr.store_spec import StoreAddress
from ucr.views import WorkerView

EPOCH = datetime(2026, 11, 26, tzinfo=UTC)


@dataclass
class FakeProcess:
    """A worker that is a task. `configs` are those that it followed; with a `refusal` it follows none."""

    pid: int
    slot: int
    stage: "Stage"
    stream: trio.abc.Stream
    configs: list[Config] = field(default_factory=list)
    facts: list[Lesson] = field(default_factory=list)
    heard: list[Tune | Lines] = field(default_factory=list)
    store: StoreAddress | None = None
    requests: int = 0
    pressure: Level = "calm"
    link: Link | None = None
    refusal: Exception | None = None
    is_terminated: bool = False
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    ended: trio.Event = field(default_factory=trio.Event)
    exit: Exit | None = None

    def kill(self) -> None:
        self.exit = self.exit or Exit(None, "SIGKILL")
        self.scope.cancel(reason="killed")

    def terminate(self) -> None:
        self.is_terminated = True

    async def wait(self) -> Exit:
        await self.ended.wait()
        assert self.exit is not None
        return self.exit

    async def run(self) -> None:
        with self.scope:
            await self.stage.script(self)
            self.exit = self.exit or Exit(0, None)
        await trio.aclose_forcefully(self.stream)
        self.ended.set()


Script = Callable[[FakeProcess], Awaitable[None]]


@dataclass
class Stage:
    """Where fake workers are started. `script` is what the next ones do."""

    nursery: trio.Nursery
    script: Script
    processes: list[FakeProcess] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    start_error: OSError | None = None
    pids: Any = field(default_factory=lambda: itertools.count(100))

    def start(self, slot: int, _listen: Sockets) -> tuple[Process, trio.abc.Stream]:
        if self.start_error is not None:
            raise self.start_error
        near, far = memory_stream_pair()
        process = FakeProcess(next(self.pids), slot, self, far)
        self.processes.append(process)
        self.nursery.start_soon(process.run)
        return process, near

    def write(self, line: bytes) -> None:
        self.lines.append(json.loads(line))

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == name]

    @property
    def living(self) -> list[FakeProcess]:
        return [process for process in self.processes if process.exit is None]


async def works(process: FakeProcess) -> None:
    """Serve as a good worker does, in half a second."""
    await trio.sleep(0.5)
    link = Link(process.stream)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        order = await link.first()
        if order is not None:
            await _serve(process, link, order)
        nursery.cancel_scope.cancel(reason="drained")


class FakeDuties:
    """What a fake worker does: it remembers."""

    def __init__(self, process: FakeProcess) -> None:
        self._process = process

    async def obey(self, order: Reconfigure) -> None:
        if self._process.refusal is not None:
            raise self._process.refusal
        self._process.configs.append(order.config)

    async def take_view(self) -> WorkerView:
        process = self._process
        counted = Counted()
        counted.add((Count("ucr_requests_total", (("provider", "up"),), process.requests),))
        return WorkerView(str(process.slot), process.pid, metrics=counted.snapshot(), pressure=process.pressure)

    async def clear_cache(self, tag: str | None = None) -> int:
        return 3 if tag is None else len(tag)

    def learn(self, lesson: Lesson) -> None:
        self._process.facts.append(lesson)

    def hear(self, message: Tune | Lines) -> None:
        self._process.heard.append(message)


async def _serve(process: FakeProcess, link: Link, order: Any) -> None:
    duties = FakeDuties(process)
    process.link = link
    process.configs.append(order[0].config)
    process.store = order[0].store
    async with open_supervisor() as supervisor, trio.open_nursery() as nursery:
        await supervisor.start(ControlChild(link, duties))
        order[1].answer(Applied(order[0].generation))
        nursery.start_soon(link.beat, duties.take_view)
        await link.leave.wanted.wait()
        await trio.sleep(min(1.0, link.leave.grace_s))
        nursery.cancel_scope.cancel(reason="drained")
    await link.wait_flushed()


async def dies(process: FakeProcess) -> None:
    """End before it is ready."""
    await trio.sleep(0.1)
    process.exit = Exit(1, None)


async def hangs(process: FakeProcess) -> None:
    """Never say anything."""
    await trio.sleep_forever()


async def refuses(process: FakeProcess) -> None:
    """Start as it should, and take no other configuration over."""
    process.refusal = OSError("no such log file")
    await works(process)


async def falls_silent(process: FakeProcess) -> None:
    """Be ready, and then never turn its loop again."""
    link = Link(process.stream)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        order = await link.first()
        assert order is not None
        order[1].answer(Applied(order[0].generation))
        await trio.sleep_forever()


def stage_log(stage: Stage) -> Log:
    return make_log("debug", (), (stage.write,), lambda: EPOCH)


@asynccontextmanager
async def on_stage(
    config: Config, script: Script = works, *, sockets: Sockets = ()
) -> AsyncIterator[tuple[Stage, Crew]]:
    """Open a crew of fake workers, none of which is hired yet."""
    async with trio.open_nursery() as nursery:
        stage = Stage(nursery, script)
        async with open_crew(config, sockets, stage_log(stage), stage.start) as crew:
            yield stage, crew
        nursery.cancel_scope.cancel(reason="the test has ended")
