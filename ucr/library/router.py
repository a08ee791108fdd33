"""The whole router in one's own Trio program: `async with ucr.open_router(config) as router`."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from types import TracebackType

import httpx
import trio

from actors import Network, RealNetwork
from ucr.auth.file import credential_file
from ucr.bodies import Bodies
from ucr.config.model import Config
from ucr.library.settings import Given, config_of
from ucr.library.transport import RouterTransport
from ucr.logs import make_log
from ucr.views import WorkerView
from ucr.worker import Worker, open_worker

BASE_URL = "http://localhost"
"""Where the clients of `Router.client` believe to be; any other place is as good."""


class Router:
    """A router that runs. `transport` is for clients of httpx, those of SDKs among them."""

    def __init__(self, worker: Worker, transport: RouterTransport, environ: Mapping[str, str]) -> None:
        self._worker = worker
        self._environ = environ
        self.transport = transport

    def __repr__(self) -> str:
        return f"<Router of {self._worker.config.source}: {self.transport!r}>"

    @property
    def config(self) -> Config:
        """The configuration that requests get now."""
        return self._worker.config

    def client(self) -> httpx.AsyncClient:
        """Return a client that asks this router, whose limits are the router's own; close it, or not."""
        return httpx.AsyncClient(transport=self.transport, base_url=BASE_URL, timeout=None)

    async def follow(self, config: Given) -> None:
        """Serve this configuration to every request from now on; those that run keep theirs.

        Raises `ConfigError`, or `Rejected` while too many former configurations have requests, and changes nothing then.
        """
        await self._worker.follow(config_of(config, self._environ))

    async def view(self) -> WorkerView:
        """Return how things are: providers with their breakers, the tree of actors, totals."""
        return await self._worker.take_view()


class _Held:
    """Holds an error of the block back until the router has closed, so that it leaves as itself and in no group."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __enter__(self) -> "_Held":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.error = error if isinstance(error, Exception) else None
        return self.error is not None


def _to_nobody(_line: bytes) -> None:
    pass


@asynccontextmanager
async def open_router(
    config: Given,
    *,
    log: Callable[[bytes], object] = _to_nobody,
    state_folder: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] = os.environ,
    network: Network | None = None,
) -> AsyncIterator[Router]:
    """Run a router as long as the block, in its task's nursery and without a socket of its own.

    `config` is a dict of tables as in `ucr.toml`, the path of a file, or a `Config`; raises `ConfigError`, which lists
    everything that is wrong. `log` gets each line of the log, as JSON. Accounts and journal are kept in `state_folder`, or
    nowhere. `network` makes the connections to providers.

    At the end of the block open requests get `server.grace_s`; when it raises, they are cancelled at once.
    """
    if not trio.lowlevel.in_trio_run():
        raise RuntimeError("ucr.open_router needs Trio: use trio.run(main), or anyio.run(main, backend='trio')")
    made, held = config_of(config, environ), _Held()
    worker_log = make_log(
        made.logging.level,
        (secret.reveal() for secret in made.secrets),
        (log,),
        partial(datetime.now, UTC),
    )
    opening = open_worker(
        *(made, (), network or RealNetwork(), worker_log),
        folder=None if state_folder is None else os.fspath(state_folder),
        signed_in=credential_file(environ),
    )
    async with opening as worker, trio.open_nursery() as nursery:
        server = made.server
        bodies = Bodies(server.bodies_limit_bytes)
        transport = RouterTransport(worker.api, bodies, server.body_limit_bytes, nursery)
        try:
            with held:
                yield Router(worker, transport, environ)
        finally:
            transport.close()
        if held.error is None:
            await worker.drain(server.grace_s)
        nursery.cancel_scope.cancel(reason="the block has ended")
    if held.error is not None:
        raise held.error
