"""A whole router in memory: guarded hypercorn, relay, actors and pools, between scripted clients and upstreams.

Clients speak HTTP/1.1 bytes to it, and it speaks HTTP/1.1 bytes to the upstreams; no socket is opened and no
second passes, so that a test with the autojump clock may last an hour of virtual time.
"""

import json
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import h11
import trio
from trio.testing import memory_stream_pair

from tests.world.sockets import local_pair
from ucr import custom_process
from ucr import guard as guard  # loaded here, so that no thread loads it while time jumps
from ucr.auth.file import CredentialFile
from ucr.config.model import Cache, Config, ModelTarget, Provider, Router, Server
from ucr.custom import Start
from ucr.logs import make_log
from ucr.observe.tracing import OpenTracing
from ucr.stress.laws import Audit
from ucr.stress.network import MemoryNetwork, MemoryStream, Pair
from ucr.stress.upstream import Handler, Upstream
from ucr.worker import Worker, open_worker

_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]")
ROUTER = ("127.0.0.1", 3000)
FRONT_LANE: ContextVar[bool] = ContextVar("FRONT_LANE", default=True)
"""Whether routers are served with the front lane; the fixture `both_lanes` runs a test with and without."""

NO_CACHE = Cache(enabled=False)
_ROUTES = frozenset(entry.name for entry in fields(Router))
EPOCH = datetime(2026, 11, 25, tzinfo=UTC)


@dataclass
class World:
    """The router's surroundings. `lines` are its log, `finished` only the lines of finished requests."""

    network: MemoryNetwork
    upstreams: Mapping[str, Upstream]
    stop: trio.Event = field(default_factory=trio.Event)
    lines: list[dict[str, Any]] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    hear: Callable[[bytes], object] | None = None
    _written: trio.Event = field(default_factory=trio.Event)

    def write(self, line: bytes) -> None:
        assert line.endswith(b"\n"), "each write is one line"
        assert not _STEERING.search(line[:-1].decode("utf-8")), "no line ends another, or steers a terminal"
        self.lines.append(json.loads(line))
        if self.hear is not None:
            self.hear(line)
        self._written.set()
        self._written = trio.Event()

    def overhear(self, hear: Callable[[bytes], object] | None) -> None:
        self.hear = hear

    async def wait_finished(self, count: int) -> None:
        """Wait until so many requests have finished."""
        while len(self.finished) < count:
            await self._written.wait()

    @property
    def worker(self) -> Worker:
        """The worker that serves."""
        return self.workers[0]

    @property
    def finished(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == "request.finished"]

    async def connect(self) -> "Visitor":
        return Visitor(await self.network.connect(*ROUTER))

    async def ask(
        self, path: str, body: object = None, *, method: str = "POST", headers: Mapping[str, str] = {}
    ) -> "Heard":
        """Send one request on a connection of its own and read the whole answer."""
        visitor = await self.connect()
        try:
            await visitor.send(path, body, method=method, headers=headers)
            return await visitor.hear()
        finally:
            await visitor.stream.aclose()


@dataclass
class Heard:
    """A whole answer; `is_complete` is False when it was cut off."""

    status: int
    headers: dict[str, str]
    body: bytes
    is_complete: bool

    def json(self) -> Any:
        return json.loads(self.body)

    def events(self) -> list[dict[str, Any]]:
        """Return the data of every server-sent event, `[DONE]` and comments left out."""
        lines = [line.removeprefix(b"data: ") for line in self.body.split(b"\n") if line.startswith(b"data: ")]
        return [json.loads(line) for line in lines if line != b"[DONE]"]


class Visitor:
    """A client's connection."""

    def __init__(self, stream: MemoryStream) -> None:
        self.stream = stream
        self._connection = h11.Connection(h11.CLIENT)

    async def send(
        self, path: str, body: object = None, *, method: str = "POST", headers: Mapping[str, str] = {}
    ) -> None:
        """Send a request; a body that is not bytes is sent as JSON."""
        if self._connection.our_state is h11.DONE:
            self._connection.start_next_cycle()
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = {"host": "127.0.0.1:3000", "content-type": "application/json", **headers}
        if "transfer-encoding" not in fields:
            fields.setdefault("content-length", str(len(data)))
        request = h11.Request(method=method, target=path, headers=list(fields.items()))
        for event in (request, h11.Data(data=data), h11.EndOfMessage()):
            await self.stream.send_all(self._connection.send(event) or b"")

    async def next(self) -> Any:
        """Return the next h11 event of the answer."""
        while (event := self._connection.next_event()) is h11.NEED_DATA:
            self._connection.receive_data(await self.stream.receive_some())
        return event

    async def hear(self) -> Heard:
        """Read the whole answer."""
        head = await self.next()
        body = bytearray()
        try:
            while isinstance(event := await self.next(), h11.Data):
                body += event.data
        except h11.RemoteProtocolError:
            event = None
        headers = {name.decode(): value.decode("latin-1") for name, value in head.headers}
        return Heard(head.status_code, headers, bytes(body), isinstance(event, h11.EndOfMessage))


def provider(name: str, dialect: str, **changes: Any) -> Provider:
    """Return a provider that lives at `http://<name>.test`."""
    path = "/v1" if dialect.startswith("openai-") else ""
    base = Provider(name, dialect, f"http://{name}.test{path}", default_model=f"{name}-model")
    return replace(base, **changes)


def config_of(*providers: Provider, **changes: Any) -> Config:
    """Return a configuration in which the providers stand in for one another, in order, without a cache.

    A change that is a field of the routes is made there.
    """
    targets = tuple(ModelTarget(entry.id) for entry in providers)
    routes = {name: changes.pop(name) for name in tuple(changes) if name in _ROUTES}
    router = Router(**{"default": targets, **routes})
    base = Config(providers=providers, router=router, server=Server(), cache=NO_CACHE)
    return replace(base, **changes)


def upstream_of(given: Upstream | Handler | tuple[Handler, ...]) -> Upstream:
    """Return the upstream that has these handlers, or that is given whole."""
    if isinstance(given, Upstream):
        return given
    return Upstream(*(given if isinstance(given, tuple) else (given,)))


@asynccontextmanager
async def open_router(
    config: Config,
    make_pair: Callable[[], Pair] = memory_stream_pair,
    over_sockets: bool = False,
    start_custom: Start = custom_process.start,
    signed_in: CredentialFile | None = None,
    unix_time: Callable[[], float] = time.time,
    folder: Path | None = None,
    trace: OpenTracing | None = None,
    **handlers: Upstream | Handler | tuple[Handler, ...],
) -> AsyncIterator[World]:
    """Serve a router in the block, with an upstream for each provider that has handlers.

    `start_custom` starts the process of a custom router; `signed_in` holds what signing in has left. Accounts and journal
    are kept in `folder`.

    At the end, when the router has stopped, its books must balance: see `ucr.stress.laws`.
    """
    if not FRONT_LANE.get():
        config = replace(config, server=replace(config.server, front_lane=False))
    network = MemoryNetwork(make_pair, make_ends=local_pair if over_sockets else None)
    upstreams = {name: upstream_of(given) for name, given in handlers.items()}
    world = World(network, upstreams)
    log = make_log("debug", (), (world.write,), lambda: EPOCH)
    async with trio.open_nursery() as nursery:
        for name, upstream in upstreams.items():
            listener = network.listener(f"{name}.test", 80)
            nursery.start_soon(trio.serve_listeners, upstream.serve, [listener])
        door = network.listener(*ROUTER)
        served = trio.Event()

        async def run(task_status: trio.TaskStatus[Worker]) -> None:
            serving = open_worker(
                config,
                [door],
                network,
                log,
                overhear=world.overhear,
                dice=Random(0).random,
                start_custom=start_custom,
                signed_in=signed_in,
                unix_time=unix_time,
                folder=None if folder is None else str(folder),
                trace=trace,
            )
            async with serving as worker:
                task_status.started(worker)
                await world.stop.wait()
                audit = Audit(worker)
                await worker.drain(worker.config.server.grace_s)
            assert audit.broken() == []
            served.set()

        world.workers.append(await nursery.start(run))
        yield world
        world.stop.set()
        await served.wait()
        nursery.cancel_scope.cancel()
