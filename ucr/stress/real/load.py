"""Clients that send marked requests over bare connections and say what became of each.

Every request carries a mark of its own, which the provider repeats in each piece of its answer: an answer that
holds another's mark is *crossed*, one that is cut off or never comes is *lost*, any other that is not whole and
right is an *error*.
"""

import itertools
import json
import random
import re
import select
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import httptools
import trio

from ucr.stress.real import agent

LOOPBACK = "127.0.0.1"
LIMIT_S = 60.0
"""No answer within this time is a lost one."""
PIECE = re.compile(rb"(mark-[0-9a-f]{8})@(\w+)")

Verdict = Literal["ok", "error", "lost", "crossed"]


@dataclass(frozen=True, slots=True)
class Shot:
    """One request and what became of it; times are of Trio's clock. Without a head the status is 0."""

    mark: str
    verdict: Verdict
    sent_at: float
    finished_at: float
    first_at: float | None = None
    status: int = 0
    worker: str = ""
    server: str = ""
    attempts: int = 0
    retry_after: str = ""
    detail: str = ""

    @property
    def latency_s(self) -> float:
        return self.finished_at - self.sent_at


@dataclass(slots=True)
class Answer:
    """An answer as far as it has come."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    first_at: float | None = None
    is_whole: bool = False
    detail: str = ""

    @property
    def keeps_connection(self) -> bool:
        return self.is_whole and self.headers.get("connection", "").lower() != "close"


class Line:
    """One connection to the router. `worker` is who serves it, once an answer said so."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.worker = ""
        self._answer = Answer()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, data: bytes) -> None:
        self._answer.body += data

    def on_message_complete(self) -> None:
        self._answer.is_whole = True

    @property
    def is_fresh(self) -> bool:
        """False when the other side has ended the connection, or said what nobody asked."""
        watch = select.poll()
        watch.register(self.stream.socket.fileno(), select.POLLIN)
        return not watch.poll(0)

    async def exchange(self, request: bytes) -> Answer:
        """Send a request and read its answer to the end, as far as it comes; never raises for the network."""
        answer = self._answer = Answer()
        parser = httptools.HttpResponseParser(self)
        try:
            await self.stream.send_all(request)
            while not answer.is_whole:
                data = await self.stream.receive_some(65_536)
                if not data:
                    answer.detail = "the connection ended"
                    break
                answer.first_at = answer.first_at or trio.current_time()
                parser.feed_data(data)
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError) as error:
            answer.detail = repr(error.__cause__ or error)
        except httptools.HttpParserError as error:
            answer.detail = repr(error)
        answer.status = parser.get_status_code() if answer.first_at else 0
        self.worker = answer.headers.get("x-ucr-worker", self.worker)
        return answer

    def reset(self) -> None:
        """Break the connection."""
        self.stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.stream.socket.close()


async def open_line(port: int, receive_buffer: int | None = None) -> Line:
    """Connect to a port of loopback; a small buffer makes a client that stops reading be felt soon."""
    client = trio.socket.socket()
    if receive_buffer is not None:
        client.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, receive_buffer)
    try:
        await client.connect((LOOPBACK, port))
    except BaseException:
        client.close()
        raise
    return Line(trio.SocketStream(client))


def get(path: str, method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nhost: {LOOPBACK}\r\n\r\n".encode()


def post(
    mark: str, *, stream: bool, model: str, orders: str = "", closes: bool = False, is_agent: bool = False
) -> bytes:
    """Return a whole request of an Anthropic client, a small one or one of an agent's."""
    more = "connection: close\r\n" if closes else ""
    if is_agent:
        asked = agent.asked(mark, orders, stream=stream, model=model)
        more += f"anthropic-beta: {agent.BETAS}\r\nanthropic-version: 2023-06-01\r\n"
    else:
        turns = [{"role": "user", "content": f"{mark} {orders}"}]
        asked = {"model": model, "max_tokens": 64, "stream": stream, "messages": turns}
    body = json.dumps(asked).encode()
    head = f"POST /v1/messages HTTP/1.1\r\nhost: {LOOPBACK}\r\ncontent-type: application/json\r\n{more}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def verdict_of(answer: Answer, mark: str, *, stream: bool) -> tuple[Verdict, str]:
    """Say what an answer is, and why when it is not right."""
    marks = {found[0] for found in PIECE.findall(answer.body)}
    if marks - {mark.encode()}:
        return "crossed", f"holds {sorted(marks)}"
    if not answer.is_whole:
        return "lost", answer.detail or "cut off"
    is_stream = answer.headers.get("content-type", "").startswith("text/event-stream")
    if answer.status != 200 or (is_stream and b'"type":"error"' in answer.body.replace(b" ", b"")):
        return "error", bytes(answer.body[-200:]).decode("utf-8", "replace")
    if not marks or is_stream is not stream:
        return "error", "not the answer that was asked for"
    if stream and b"message_stop" not in answer.body:
        return "lost", "the stream has no end"
    return "ok", ""


def shot_of(answer: Answer, mark: str, sent_at: float, *, stream: bool, worker: str = "") -> Shot:
    """Take down one request with its answer, which has ended now; `worker` is who it went to, if that is known."""
    verdict, detail = verdict_of(answer, mark, stream=stream)
    found = PIECE.search(answer.body)
    headers = answer.headers
    return Shot(
        mark,
        verdict,
        sent_at,
        trio.current_time(),
        answer.first_at,
        answer.status,
        headers.get("x-ucr-worker", worker),
        found[2].decode() if found else "",
        int(headers.get("x-ucr-attempts") or 0),
        headers.get("retry-after", ""),
        detail,
    )


@dataclass(slots=True)
class Marks:
    """Gives each request a mark of its own."""

    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def next(self) -> str:
        return f"mark-{next(self._numbers):08x}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the clients of a load do: half keep their connections; shares of their requests stream, and are an agent's."""

    clients: int = 12
    pause_s: float = 0.06
    streams: float = 0.5
    orders: str = ""
    models: tuple[str, ...] = ("m",)
    agents: float = 0.0


class Load:
    """Clients at work. `shots` are the requests that have ended, `pending` maps the others to their start."""

    def __init__(self, port: int, plan: Plan, marks: Marks, dice: random.Random) -> None:
        self.shots: list[Shot] = []
        self.pending: dict[str, tuple[float, str]] = {}
        self._port, self._plan, self._marks, self._dice = port, plan, marks, dice
        self._is_over = False

    def stop(self) -> None:
        """Let each client end its present request and leave."""
        self._is_over = True

    def take(self) -> list[Shot]:
        """Give the requests that have ended since the last time, and forget them."""
        taken, self.shots = self.shots, []
        return taken

    async def run_client(self, keeps: bool) -> None:
        line: Line | None = None
        while not self._is_over:
            await trio.sleep(self._dice.uniform(0, 2 * self._plan.pause_s))
            if line is not None and not (keeps and line.is_fresh):
                await trio.aclose_forcefully(line.stream)
                line = None
            line = await self._shoot(line, keeps)
        if line is not None:
            await trio.aclose_forcefully(line.stream)

    async def _shoot(self, line: Line | None, keeps: bool) -> Line | None:
        """Send one request and note what became of it; return the connection when it can be used again."""
        mark, stream = self._marks.next(), self._dice.random() < self._plan.streams
        model = self._dice.choice(self._plan.models)
        is_agent = self._plan.agents > 0 and self._dice.random() < self._plan.agents
        request = post(
            mark, stream=stream, model=model, orders=self._plan.orders, closes=not keeps, is_agent=is_agent
        )
        sent_at = trio.current_time()
        self.pending[mark] = (sent_at, line.worker if line else "")
        answer = Answer(detail=f"no answer in {LIMIT_S:.0f} s")
        with trio.move_on_after(LIMIT_S):
            try:
                line = line or await open_line(self._port)
                answer = await line.exchange(request)
            except OSError as error:
                answer = Answer(detail=f"no connection: {error}")
        del self.pending[mark]
        self.shots.append(shot_of(answer, mark, sent_at, stream=stream, worker=line.worker if line else ""))
        if line is not None and not answer.keeps_connection:
            await trio.aclose_forcefully(line.stream)
            return None
        return line

    async def wait_shots(self, count: int) -> None:
        """Wait until this many more requests have ended."""
        target = len(self.shots) + count
        await until(lambda: len(self.shots) >= target)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds of which nobody sends word: the state of another process, most often."""
    while not holds():  # noqa: ASYNC110
        await trio.sleep(0.01)


@asynccontextmanager
async def loaded(port: int, plan: Plan, marks: Marks, dice: random.Random) -> AsyncIterator[Load]:
    """Keep a port under load as long as the block; its last requests are waited for."""
    load = Load(port, plan, marks, dice)
    async with trio.open_nursery() as nursery:
        for number in range(plan.clients):
            nursery.start_soon(load.run_client, number % 2 == 0)
        try:
            yield load
        finally:
            load.stop()


async def shoot(port: int, marks: Marks, *, stream: bool = True, orders: str = "", model: str = "m") -> Shot:
    """Send one request over a connection of its own."""
    mark, sent_at = marks.next(), trio.current_time()
    answer = Answer(detail=f"no answer in {LIMIT_S:.0f} s")
    with trio.move_on_after(LIMIT_S):
        try:
            line = await open_line(port)
            async with line.stream:
                answer = await line.exchange(post(mark, stream=stream, model=model, orders=orders, closes=True))
        except OSError as error:
            answer = Answer(detail=f"no connection: {error}")
    return shot_of(answer, mark, sent_at, stream=stream)


def having(shots: Iterable[Shot], *verdicts: Verdict) -> list[Shot]:
    """Return the requests that ended so."""
    return [shot for shot in shots if shot.verdict in verdicts]


def longest_gap_s(shots: Iterable[Shot], start: float, end: float) -> float:
    """Return the longest time between two good answers, from `start` to `end`."""
    times = sorted(shot.finished_at for shot in having(shots, "ok") if start <= shot.finished_at <= end)
    marks = [start, *times, end]
    return max(later - earlier for earlier, later in itertools.pairwise(marks))
