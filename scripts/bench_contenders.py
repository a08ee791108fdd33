"""Who is measured: UCR, nginx as a plain proxy, and the upstream itself without anything before it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import bench_nginx
from bench_bodies import Dialect
from bench_nginx import Certificate, Origin
from bench_process import START_LIMIT_S, family

from ucr.stress.real.router import running

UCR_FILE = """
[server]
grace_s = 1

[cache]
enabled = {cache}
streams = {streams}

[router]
default = "bench"

[[providers]]
id = "bench"
dialect = "{dialect}"
base_url = "{url}"
api_key = "not-a-key"
max_requests = 2000
max_pending = 2000
{model}
"""


Kind = Literal["plain", "single", "paced", "crowd", "own"]
"""`plain` work, `single` requests and `paced` streams are for all; a `crowd` of streams is for UCR and nginx, and so is
UCR's `own`: TLS, workers, caches, numbers of connections."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a contender has to be started for: whom it asks, in which dialects, and what kind of work it is.

    `streams` says that the cache keeps streams.
    """

    origin: Origin
    client: Dialect
    provider: Dialect
    workers: int
    cache: bool
    folder: Path
    certificate: Certificate
    kind: Kind = "plain"
    streams: bool = False


@dataclass(frozen=True, slots=True)
class Running:
    """A contender that serves. `pids` gives its processes, none when it has none of its own."""

    port: int
    pids: Callable[[], Sequence[int]]
    path: str = ""
    model: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Contender(Protocol):
    """One of those that are measured side by side."""

    @property
    def name(self) -> str: ...

    def can(self, setting: Setting) -> bool:
        """Return whether it is able to do this work."""
        ...

    def running(self, setting: Setting) -> AbstractAsyncContextManager[Running]:
        """Run it as long as the block; raise `BenchError` when it does not start."""
        ...


class Direct:
    """The upstream, asked without a router."""

    name = "direct"

    def can(self, setting: Setting) -> bool:
        return setting.kind in ("single", "paced", "crowd")

    @asynccontextmanager
    async def running(self, setting: Setting) -> AsyncIterator[Running]:
        yield Running(setting.origin.port, lambda: ())


class Nginx:
    """A proxy that reads nothing of what it passes on."""

    name = "nginx"

    def can(self, setting: Setting) -> bool:
        return True

    @asynccontextmanager
    async def running(self, setting: Setting) -> AsyncIterator[Running]:
        folder = setting.folder / "nginx"
        async with bench_nginx.proxy(folder, setting.origin, setting.certificate, workers=setting.workers) as (
            port,
            process,
        ):
            yield Running(port, lambda: family(process.pid))


class Ucr:
    """UCR as it is served: a parent and its workers, the front lane, metrics, and a log line for each request."""

    name = "UCR"

    def can(self, setting: Setting) -> bool:
        return True

    @asynccontextmanager
    async def running(self, setting: Setting) -> AsyncIterator[Running]:
        folder = setting.folder / "ucr"
        folder.mkdir()
        with (folder / "ucr.log").open("wb") as log:
            async with running(
                folder / "router",
                ucr_file(setting),
                workers=setting.workers,
                log=log,
                variables={"SSL_CERT_FILE": str(setting.certificate.file)},
                limit_s=START_LIMIT_S,
            ) as router:
                yield Running(router.port, lambda: family(router.pid))


def ucr_file(setting: Setting) -> str:
    """Return UCR's configuration. What passes through keeps the model's name, as Claude Code's requests do."""
    return UCR_FILE.format(
        cache=str(setting.cache).lower(),
        streams=str(setting.streams).lower(),
        dialect=setting.provider,
        url=setting.origin.url + ("/v1" if setting.provider == "openai-chat" else ""),
        model="" if setting.client == setting.provider else 'default_model = "m"',
    )
