"""The store's seat beside the workers: the socket that the parent keeps, and the process that serves it."""

import contextlib
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import msgspec
import trio

from actors import SupervisionEvent, Supervisor, open_supervisor
from ucr.attendant import INTENSITY, Attendant, AttendantEnded
from ucr.cache_secret import new_secret, secret_of
from ucr.config.model import Config
from ucr.config.places import state_folder
from ucr.logs import Log
from ucr.spawn import python_module
from ucr.store_spec import StoreAddress, StoreSpec, store_spec

SOCKET_PATH_BYTES = 100
"""A Unix socket's path has room for 107 bytes on Linux and 103 on macOS."""
END_S = 2.0
_BACKLOG = 1024


class StoreSeat(Attendant):
    """The store process as a child of a supervisor. Each start is told what the configuration says then.

    `config` is the present configuration, `workers` how many workers there are. The accounts are kept in `folder`.
    """

    def __init__(
        self,
        bound: socket.socket,
        config: Callable[[], Config],
        workers: Callable[[], int],
        folder: str | None = None,
    ) -> None:
        super().__init__("store", "ucr.store", (), (bound.fileno(),))
        self._folder = folder
        self.config = config
        self.workers = workers
        self._descriptor = bound.fileno()
        self._generation = 0
        self._serves: tuple[object, ...] | None = None
        self._is_draining = False

    async def run(self) -> None:
        """Run the store to its end, which is a crash."""
        self._generation += 1
        config = self.config()
        with contextlib.closing(
            told(store_spec(config, self._generation, self.workers(), self._folder))
        ) as pipe:
            arguments = (str(os.getpid()), str(self._descriptor), str(pipe.fileno()))
            self._command = python_module("ucr.store", arguments)
            self._descriptors = (self._descriptor, pipe.fileno())
            self._on_started = lambda _pid: pipe.close()
            self._serves = _kept_by(config)
            try:
                await super().run()
            except AttendantEnded:
                if not self._is_draining:
                    raise
                await trio.sleep_forever()

    def follow(self, config: Config) -> None:
        """Start the process again when it keeps something otherwise than this configuration wants."""
        if self.process is not None and self._serves != _kept_by(config):
            self.process.terminate()

    async def drain(self) -> None:
        """End the process; that is no crash."""
        self._is_draining = True
        await super().drain()


def _kept_by(config: Config) -> tuple[object, ...]:
    return config.cache, config.state, config.usage, config.journal


class StorePlace:
    """Where a router has its store: empty until there are several workers, and then taken to the end.

    `config` is the present configuration, `workers` how many workers there are: their owner may come later.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        config: Config,
        supervisor: Supervisor,
        sockets: contextlib.ExitStack,
    ) -> None:
        self.config: Callable[[], Config] = lambda: config
        self.workers: Callable[[], int] = lambda: 0
        self.seat: StoreSeat | None = None
        self._made = new_secret()
        self._address: StoreAddress | None = None
        self._environ = environ
        self._supervisor = supervisor
        self._sockets = sockets

    def __repr__(self) -> str:
        return f"<StorePlace of {self.seat!r}>"

    async def take(self, workers: int, config: Config) -> StoreAddress:
        """Return where the store is, which is started for so many workers if it is not there yet.

        The address is another one where the configuration wants another secret.
        """
        secret = secret_of(config.cache, self._made)
        if self._address is None:
            bound = self._sockets.enter_context(store_socket(self._environ))
            folder = str(state_folder(self._environ))
            seat = StoreSeat(bound, lambda: self.config(), lambda: self.workers(), folder)
            self.seat = await self._supervisor.start(seat)
            self._address = StoreAddress(bound.getsockname(), workers, secret)
        if self._address.secret != secret:
            self._address = replace(self._address, secret=secret)
        return self._address

    def follow(self, config: Config) -> None:
        """Let the store have this configuration, which is served by now: with another cache or vault it begins anew."""
        if self.seat is not None:
            self.seat.follow(config)


@contextlib.asynccontextmanager
async def open_place(environ: Mapping[str, str], config: Config, log: Log) -> AsyncIterator[StorePlace]:
    """Yield a place for a store, which ends with the block."""

    def report(event: SupervisionEvent) -> None:
        if event.name == "actor.crashed":
            log.error("store.exited", error=str(event.error), delay_s=round(event.delay_s, 3))

    with contextlib.ExitStack() as sockets:
        async with open_supervisor(grace_s=END_S, intensity=INTENSITY, on_event=report) as supervisor:
            yield StorePlace(environ, config, supervisor, sockets)


@contextlib.contextmanager
def store_socket(environ: Mapping[str, str]) -> Iterator[socket.socket]:
    """Yield a listening Unix socket that only this user can reach; its file goes with the block."""
    with _folder(Path(state_folder(environ))) as folder:
        path = folder / f"store-{os.getpid()}.sock"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as bound:
            before = os.umask(0o177)
            try:
                bound.bind(str(path))
            finally:
                os.umask(before)
            bound.listen(_BACKLOG)
            bound.setblocking(False)
            try:
                yield bound
            finally:
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def _folder(wanted: Path) -> Iterator[Path]:
    """Yield the folder, or a temporary one where it cannot be used or its path is too long for a socket."""
    if len(os.fsencode(wanted)) <= SOCKET_PATH_BYTES - len("/store-4194304.sock"):
        try:
            wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
            wanted.chmod(0o700)
        except OSError:
            pass
        else:
            _sweep(wanted)
            yield wanted
            return
    with tempfile.TemporaryDirectory(prefix="ucr-") as made:
        yield Path(made)


def _sweep(folder: Path) -> None:
    """Remove the sockets of parents that were killed."""
    for path in folder.glob("store-*.sock"):
        number = path.stem.removeprefix("store-")
        if number.isdecimal() and not _is_alive(int(number)):
            path.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def told(spec: StoreSpec) -> BinaryIO:
    """Return the end of a pipe from which the specification can be read. It is shorter than a pipe is wide."""
    reads, writes = os.pipe()
    try:
        os.write(writes, msgspec.json.encode(spec))
    finally:
        os.close(writes)
    return os.fdopen(reads, "rb")
