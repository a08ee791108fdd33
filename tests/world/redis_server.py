"""A real Redis server of a test: a process of its own on a free port of loopback, which keeps nothing on disk."""

import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

LOOPBACK = "127.0.0.1"
PROGRAM = "redis-server"
START_S = 20.0


class RealRedis:
    """The server at `port` and at a Unix socket. `freeze` lets it fall silent without closing anything."""

    def __init__(self, folder: Path, port: int, *settings: str) -> None:
        self.port = port
        self.path = folder / "r.sock"
        self._settings = ("--dir", str(folder), "--save", "", "--appendonly", "no", *settings)
        self._process: trio.Process | None = None

    @property
    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self.port}/1"

    async def start(self) -> None:
        """Start the server, and return when it answers."""
        self._process = await trio.lowlevel.open_process(
            [
                PROGRAM,
                "--port",
                str(self.port),
                "--bind",
                LOOPBACK,
                "--unixsocket",
                str(self.path),
                *self._settings,
            ],
            stdout=-3,
            stderr=-3,
        )
        with trio.fail_after(START_S):
            while not await self.say("PING"):  # noqa: ASYNC110 - another process has no event to wait for
                await trio.sleep(0.02)

    async def say(self, command: str) -> bytes:
        """Say one short command; return what the server answers first, nothing when it is not there."""
        try:
            async with await trio.open_tcp_stream(LOOPBACK, self.port) as stream:
                await stream.send_all(f"{command}\r\n".encode())
                return bytes(await stream.receive_some())
        except (OSError, trio.BrokenResourceError):
            return b""

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    async def kill(self) -> None:
        """End the server at once."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            with trio.CancelScope(shield=True):
                await self._process.wait()

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@asynccontextmanager
async def redis_server(folder: Path, *settings: str) -> AsyncIterator[RealRedis]:
    """Run a server as long as the block."""
    with socket.create_server((LOOPBACK, 0)) as free:
        port = free.getsockname()[1]
    redis = RealRedis(folder, port, *settings)
    try:
        await redis.start()
        yield redis
    finally:
        await redis.kill()
