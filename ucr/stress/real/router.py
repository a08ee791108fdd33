"""The router as a process with a configuration, a state folder and a port of its own, and what /proc says of it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import trio

from ucr.stress.real.load import Answer, get, open_line, until
from ucr.stress.real.upstream import LOOPBACK, Upstream

ROOT = Path(__file__).resolve().parents[3]
"""Where `ucr` lies, in a checkout or among installed packages."""
START_LIMIT_S = 30.0
END_LIMIT_S = 45.0
HASTE_S = 3.0
TICKS = os.sysconf("SC_CLK_TCK")
BANNER = re.compile(rb"serves http://127\.0\.0\.1:(\d+) ")

SERVER = """
[server]
grace_s = {grace_s}

[router]
default = "{default}"
fallbacks = {fallbacks}
{router}
"""

PROVIDER = """
[[providers]]
id = "{id}"
dialect = "{dialect}"
base_url = "http://127.0.0.1:{port}{path}"
api_key = "not-a-key"
default_model = "m"
priority = {priority}
max_requests = 400
max_pending = 400
{more}
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A provider of the configuration, which is asked at an upstream's port."""

    upstream: Upstream
    dialect: str = "anthropic"
    id: str = ""
    more: str = ""


def configuration(*served: Served, grace_s: float = 10.0, router: str = "") -> str:
    """Return a configuration whose first provider is the default, and whose others are its fallbacks."""
    names = [one.id or one.upstream.name for one in served]
    text = SERVER.format(grace_s=grace_s, default=names[0], fallbacks=json.dumps(names[1:]), router=router)
    for number, (name, one) in enumerate(zip(names, served, strict=True)):
        text += PROVIDER.format(
            id=name,
            dialect=one.dialect,
            port=one.upstream.port,
            path="/v1" if one.dialect == "openai-chat" else "",
            priority=len(served) - number,
            more=one.more,
        )
    return text


def with_lane(text: str, front_lane: bool) -> str:
    """Return a configuration, which has a table of the server, with the front lane turned on or off."""
    before, table, after = text.partition("[server]\n")
    return f"{before}{table}front_lane = {str(front_lane).lower()}\n{after}"


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the router's log and when it was read."""

    at: float
    event: str
    fields: dict[str, Any]


@dataclass(slots=True)
class Router:
    """A running router. `log` is what it has written so far, `family` every process that was seen of it."""

    process: trio.Process
    folder: Path
    file: Path
    port: int = 0
    log: list[LogLine] = field(default_factory=list)
    errors: bytearray = field(default_factory=bytearray)
    family: set[int] = field(default_factory=set)
    _changed: trio.Event = field(default_factory=trio.Event)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def children(self) -> list[int]:
        """Return the ids of the parent's child processes, and remember them."""
        found = children(self.pid)
        self.family.update(found)
        return found

    def all_pids(self) -> list[int]:
        return [self.pid, *self.children()]

    def workers(self) -> dict[str, int]:
        """Return slot → process id of the workers that live; the process itself when it has no children."""
        found = {slot: pid for pid in self.children() if (slot := slot_of(pid)) is not None}
        return found or {"0": self.pid}

    def store(self) -> int | None:
        """Return the id of the store process, when there is one."""
        return next((pid for pid in self.children() if "ucr.store" in command_line(pid)), None)

    async def read_log(self) -> None:
        assert self.process.stdout is not None
        rest = b""
        async for data in self.process.stdout:
            *lines, rest = (rest + data).split(b"\n")
            now = trio.current_time()
            for line in lines:
                fields = json.loads(line)
                self.log.append(LogLine(now, fields.get("event", ""), fields))
            self._notify()

    async def read_errors(self) -> None:
        assert self.process.stderr is not None
        async for data in self.process.stderr:
            self.errors += data
            self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def wait_port(self) -> None:
        """Wait for the banner and keep the port that it names."""
        while (match := BANNER.search(self.errors)) is None:
            if self.process.poll() is not None:
                raise RuntimeError(f"the router did not start: {self.errors.decode()}")
            await self._changed.wait()
        self.port = int(match[1])

    async def wait_ready(self, workers: int) -> None:
        """Wait until the port answers that it is ready, and as many workers live."""
        await until(lambda: len(self.workers()) >= workers)
        while await self.status("/ready") != 200:  # noqa: ASYNC110
            await trio.sleep(0.02)

    async def wait_event(self, event: str, since: int) -> LogLine:
        """Wait for an event that is logged after the first `since` lines."""
        while True:
            for line in self.log[since:]:
                if line.event == event:
                    return line
            await self._changed.wait()

    def events(self, event: str) -> list[LogLine]:
        return [line for line in self.log if line.event == event]

    async def ask(self, path: str, method: str = "GET") -> Answer:
        """Send a request of an operator's over a connection of its own."""
        try:
            line = await open_line(self.port)
        except OSError as error:
            return Answer(detail=repr(error))
        async with line.stream:
            return await line.exchange(get(path, method))

    async def status(self, path: str) -> int:
        return (await self.ask(path)).status

    async def json(self, path: str) -> Any:
        answer = await self.ask(path)
        return json.loads(answer.body) if answer.is_whole else None

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@asynccontextmanager
async def running(
    folder: Path,
    text: str,
    *,
    workers: int,
    log: IO[bytes] | None = None,
    variables: Mapping[str, str] = MappingProxyType({}),
    limit_s: float = START_LIMIT_S,
) -> AsyncIterator[Router]:
    """Run a router as long as the block, ready when it begins. Nothing of it outlives the block.

    With a file as `log` its lines go there and are not read here. `variables` are added to its environment; the
    start may take `limit_s`.
    """
    file = written(folder, text)
    async with trio.open_nursery() as nursery:
        process = await trio.lowlevel.open_process(
            command(file, workers),
            stdout=subprocess.PIPE if log is None else log,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={**environment(folder), **variables},
        )
        router = Router(process, folder, file)
        try:
            if log is None:
                nursery.start_soon(router.read_log)
            nursery.start_soon(router.read_errors)
            with trio.fail_after(limit_s):
                await router.wait_port()
                await router.wait_ready(workers)
            yield router
        except BaseException:
            await end(router, HASTE_S)  # noqa: ASYNC102 - it is shielded within
            raise
        finally:
            await end(router, END_LIMIT_S)  # noqa: ASYNC102 - it is shielded within
            nursery.cancel_scope.cancel(reason="the router has ended")


def written(folder: Path, text: str) -> Path:
    """Write the configuration into a new folder."""
    folder.mkdir(parents=True)
    file = folder / "ucr.toml"
    file.write_text(text, "utf-8")
    return file


def command(file: Path, workers: int) -> list[str]:
    number = ["--workers", str(workers)] if workers else []
    return [sys.executable, "-P", "-m", "ucr.cli", "serve", "--config", str(file), "--port", "0", *number]


def environment(folder: Path) -> dict[str, str]:
    """Return an environment without anything of the user's but the way to programs; /proc may be looked into."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    own = {"HOME": str(folder), "PYTHONPATH": str(ROOT), "UCR_STATE_DIR": str(folder / "state")}
    return kept | own | {"UCR_DEBUGGABLE": "1"}


async def end(router: Router, limit_s: float) -> None:
    """End the router and what is left of it, whatever state it is in; what takes longer than the limit is killed."""
    with trio.CancelScope(shield=True):
        router.children()
        if router.process.poll() is None:
            router.signal(signal.SIGTERM)
            with trio.move_on_after(limit_s):
                await router.process.wait()
        for pid in [*router.children(), *left_over(router)]:
            send(pid, signal.SIGKILL)
        if router.process.poll() is None:
            router.process.kill()
            await router.process.wait()


def left_over(router: Router) -> list[int]:
    """Return the processes of the router's that still live: those seen as its children, and of its folder."""
    return [pid for pid in router.family if is_alive(pid) and str(router.folder) in environment_of(pid)]


def send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def statistics(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on; none when there is no such process."""
    return read(pid, "stat").decode("latin-1").rpartition(")")[2].split()


def is_alive(pid: int) -> bool:
    return statistics(pid)[:1] not in ([], ["Z"], ["X"])


def children(parent: int) -> list[int]:
    """Return the living child processes of a process."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if statistics(pid)[1:2] == [str(parent)] and is_alive(pid)]


def command_line(pid: int) -> str:
    return read(pid, "cmdline").replace(b"\0", b" ").decode("utf-8", "replace")


def environment_of(pid: int) -> str:
    return read(pid, "environ").decode("utf-8", "replace")


def slot_of(pid: int) -> str | None:
    """Return the slot of a worker process."""
    match = re.search(r"ucr\.worker\w*\b.*?--slot[ =](\d+)", command_line(pid))
    return match[1] if match else None


def descriptors(pid: int) -> int:
    """Return how many files and sockets a process has open."""
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return 0


def processor_s(pid: int) -> float:
    """Return the processor time that a process has used, without its children's."""
    fields = statistics(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def resident_bytes(pid: int) -> int:
    fields = read(pid, "statm").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") if fields else 0


def files_under(folder: Path) -> Iterator[Path]:
    """Give every socket and pid file that a folder holds."""
    for path in folder.rglob("*"):
        if path.is_socket() or path.suffix in {".pid", ".sock"}:
            yield path


def is_refused(port: int) -> bool:
    """True when nobody listens on a port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) != 0
