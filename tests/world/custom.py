"""Processes of custom routers that are tasks: what they are asked, what they answer, and how they misbehave."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import trio
from trio.testing import memory_stream_pair

from actors.wire import FrameDecoder, frame

Function = Callable[[dict[str, Any]], Any]
Behaviour = Callable[["FakeProcess"], Awaitable[None]]


@dataclass(eq=False)
class FakeProcess:
    """The far end of a talk. `asked` are the requests that it was shown."""

    pid: int
    stream: Any
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    gone: trio.Event = field(default_factory=trio.Event)
    asked: list[dict[str, Any]] = field(default_factory=list)
    _decoder: FrameDecoder = field(default_factory=FrameDecoder)
    _waiting: list[dict[str, Any]] = field(default_factory=list)

    def kill(self) -> None:
        self.scope.cancel(reason="killed")

    async def wait(self) -> None:
        await self.gone.wait()

    async def say(self, message: object) -> None:
        await self.stream.send_all(frame(json.dumps(message).encode()))

    async def question(self) -> dict[str, Any] | None:
        """Return the next question; None when there will be none."""
        while not self._waiting:
            data = await self.stream.receive_some()
            if not data:
                return None
            self._waiting += [json.loads(body) for body in self._decoder.feed(bytes(data))]
        question = self._waiting.pop(0)
        self.asked.append(question["request"])
        return question

    async def live(self, behave: Behaviour) -> None:
        with self.scope, suppress(trio.BrokenResourceError):
            await behave(self)
        await self.stream.aclose()
        self.gone.set()


def answering(function: Function, after_s: float = 0.0) -> Behaviour:
    """Be ready at once, and answer for a function."""

    async def behave(process: FakeProcess) -> None:
        await process.say({"ready": process.pid})
        while question := await process.question():
            await trio.sleep(after_s)
            await process.say({"id": question["id"], "result": function(question["request"])})

    return behave


async def hanging(process: FakeProcess) -> None:
    """Be ready, take every question, answer none."""
    await process.say({"ready": process.pid})
    while await process.question():
        pass


async def deaf(process: FakeProcess) -> None:
    """Be ready, and not even read."""
    await process.say({"ready": process.pid})
    await trio.sleep_forever()


async def dying(process: FakeProcess) -> None:
    """Be ready, and end at the first question."""
    await process.say({"ready": process.pid})
    await process.question()


async def failing(process: FakeProcess) -> None:
    """Say that the file cannot be loaded."""
    await process.say({"failed": "SyntaxError: no"})


async def silent(_process: FakeProcess) -> None:
    """Never get ready."""
    await trio.sleep_forever()


async def babbling(process: FakeProcess) -> None:
    """Be ready, and answer what is no answer."""
    await process.say({"ready": process.pid})
    while await process.question():
        await process.say(["what"])


@dataclass
class CustomStage:
    """Starts fake processes; `behave` is what the next ones do."""

    nursery: trio.Nursery
    behave: Behaviour
    processes: list[FakeProcess] = field(default_factory=list)
    starts: list[tuple[str, int]] = field(default_factory=list)

    def start(self, place: str, memory_bytes: int) -> tuple[FakeProcess, trio.abc.Stream]:
        near, far = memory_stream_pair()
        process = FakeProcess(100 + len(self.processes), far)
        self.processes.append(process)
        self.starts.append((place, memory_bytes))
        self.nursery.start_soon(process.live, self.behave)
        return process, near

    @property
    def living(self) -> list[FakeProcess]:
        return [process for process in self.processes if not process.gone.is_set()]


@asynccontextmanager
async def custom_stage(behave: Behaviour) -> AsyncIterator[CustomStage]:
    """Give a stage; at the end no process may be left."""
    async with trio.open_nursery() as nursery:
        stage = CustomStage(nursery, behave)
        yield stage
        with trio.fail_after(5):
            for process in stage.processes:
                await process.wait()
