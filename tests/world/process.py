"""The router as its users run it: a process of its own, with real sockets on both sides.

`routed` serves a scripted upstream and starts a router in front of it; at the end of the block the router gets
SIGTERM and must leave with status 0, without a word of a crash.
"""

import json
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import trio

from ucr.stress.upstream import Upstream

ROOT = Path(__file__).parent.parent.parent
LIMIT_S = 60.0
"""A router that takes longer hangs; one on a busy machine does not take as long."""
LOOPBACK = "127.0.0.1"

ANTHROPIC, OPENAI = "ant/claude-x", "oai/gpt-x"
"""The two targets of `CONFIG`, as a client asks for them."""

CONFIG = """
[server]
grace_s = {grace_s}
{server}

[[providers]]
id = "ant"
dialect = "anthropic"
base_url = "http://127.0.0.1:{port}"
{keys}
models = ["claude-x"]

[[providers]]
id = "oai"
dialect = "openai-chat"
base_url = "http://127.0.0.1:{port}/v1"
{keys}
models = ["gpt-x"]

[router]
default = "ant"
max_attempts = {max_attempts}

[cache]
enabled = false

[logging]
level = "debug"
"""

_BANNER = re.compile(rb"serves https?://127\.0\.0\.1:(\d+) ")


class RouterProcess:
    """A process that runs `ucr-trio`: everything it has written so far is in `stdout` and `stderr`."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._changed = trio.Event()
        self._is_told = False

    async def read(self, name: str) -> None:
        """Keep what the process writes to `stdout` or `stderr`, until it ends."""
        stream, kept = getattr(self.process, name), getattr(self, name)
        async for data in stream:
            kept += data
            self._notify()
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def wait_port(self) -> int:
        """Return the port that the banner names."""
        while (match := _BANNER.search(self.stderr)) is None:
            if self.process.returncode is not None:
                raise AssertionError(f"the router did not start: {self.stderr.decode()}")
            await self._changed.wait()
        return int(match[1])

    async def wait_words(self, words: bytes) -> None:
        """Return when the log says these words."""
        while words not in self.stdout:
            await self._changed.wait()

    def terminate(self) -> None:
        """Send SIGTERM, once: a second one would end the process on the spot."""
        if not self._is_told:
            self._is_told = True
            self.process.send_signal(signal.SIGTERM)


class Routed:
    """A running router at `base_url`, its upstream and its configuration's file."""

    def __init__(self, router: RouterProcess, upstream: Upstream, port: int, folder: Path) -> None:
        self.folder = folder
        self.router = router
        self.upstream = upstream
        self.port = port
        self.base_url = f"http://{LOOPBACK}:{port}"

    async def connect(self) -> trio.SocketStream:
        """Open a bare connection to the router."""
        return await trio.open_tcp_stream(LOOPBACK, self.port)


@asynccontextmanager
async def serving(upstream: Upstream) -> AsyncIterator[int]:
    """Serve an upstream on a free port of loopback; yield the port."""
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, upstream.serve, 0, host=LOOPBACK)
        listeners: list[trio.SocketListener] = await nursery.start(serve)
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel(reason="the test has ended")


@asynccontextmanager
async def routed(
    folder: Path,
    upstream: Upstream,
    *,
    grace_s: float = 5.0,
    key: str = "sk-scripted",
    spare_keys: int = 0,
    max_attempts: int = 3,
    workers: int = 0,
    server: str = "",
    status: int = 0,
) -> AsyncIterator[Routed]:
    """Run a router in front of the upstream, then stop it and see that it stops well.

    Each provider has `key`, and `spare_keys` others beside it: a refused key rests. Without `workers` it is one
    process, which is what most tests need, and quickly there. `server` are further lines of `[server]`, `status` is
    what it leaves with.
    """
    processes = ("--workers", str(workers)) if workers else ("--in-process",)
    with trio.fail_after(LIMIT_S):
        async with serving(upstream) as upstream_port:
            config = folder / "ucr.toml"
            keys = [key, *(f"{key}-{number}" for number in range(spare_keys))]
            written = f"api_keys = {json.dumps(keys)}" if spare_keys else f'api_key = "{key}"'
            values = {"port": upstream_port, "grace_s": grace_s, "max_attempts": max_attempts, "server": server}
            config.write_text(CONFIG.format(keys=written, **values), "utf-8")
            async with started(folder, "serve", "--config", str(config), "--port", "0", *processes) as router:
                yield Routed(router, upstream, await router.wait_port(), folder)
                router.terminate()
                assert await router.process.wait() == status, router.stderr.decode()
            written = bytes(router.stdout + router.stderr)
            assert b"crashed" not in written, written.decode()
            assert b"Traceback" not in written, written.decode()


@asynccontextmanager
async def started(
    folder: Path, *arguments: str, environ: Mapping[str, str] | None = None
) -> AsyncIterator[RouterProcess]:
    """Start `ucr-trio` with these arguments; it is killed when it outlives the block."""
    async with trio.open_nursery() as nursery:
        process = await trio.lowlevel.open_process(
            [sys.executable, "-m", "ucr.cli", *arguments],
            stdout=-1,
            stderr=-1,
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "HOME": str(folder), "UCR_DEBUGGABLE": "1", **(environ or {})},
        )
        router = RouterProcess(process)
        nursery.start_soon(router.read, "stdout")
        nursery.start_soon(router.read, "stderr")
        try:
            yield router
        finally:
            if process.returncode is None:
                process.kill()
                with trio.CancelScope(shield=True):
                    await process.wait()


async def finished(
    folder: Path, *arguments: str, environ: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Run `ucr-trio` to its end; return its status, its output and its errors."""
    with trio.fail_after(LIMIT_S):
        async with started(folder, *arguments, environ=environ) as router:
            status = await router.process.wait()
    return status, router.stdout.decode(), router.stderr.decode()
