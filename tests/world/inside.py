"""A router opened as a library, between a test and scripted upstreams, on a network in memory."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import trio
from trio.testing import memory_stream_pair

from tests.world.router import upstream_of
from ucr.library.router import Router, open_router
from ucr.library.settings import Given
from ucr.stress.network import MemoryNetwork, Pair
from ucr.stress.upstream import Handler, Upstream


@dataclass
class Inside:
    """What is round the router; `lines` are its log."""

    router: Router
    network: MemoryNetwork
    upstreams: Mapping[str, Upstream]
    lines: list[dict[str, Any]] = field(default_factory=list)

    @property
    def finished(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == "request.finished"]


@asynccontextmanager
async def open_inside(
    config: Given,
    *,
    make_pair: Callable[[], Pair] = memory_stream_pair,
    environ: Mapping[str, str] | None = None,
    state_folder: str | None = None,
    **handlers: Upstream | Handler | tuple[Handler, ...],
) -> AsyncIterator[Inside]:
    """Open the router in the block, with an upstream at `http://<name>.test` for each that has handlers."""
    network = MemoryNetwork(make_pair)
    upstreams = {name: upstream_of(given) for name, given in handlers.items()}
    lines: list[dict[str, Any]] = []
    async with trio.open_nursery() as nursery:
        for name, upstream in upstreams.items():
            nursery.start_soon(trio.serve_listeners, upstream.serve, [network.listener(f"{name}.test", 80)])
        opening = open_router(
            config,
            log=lambda line: lines.append(orjson.loads(line)),
            environ={} if environ is None else environ,
            network=network,
            state_folder=state_folder,
        )
        async with opening as router:
            yield Inside(router, network, upstreams, lines)
        nursery.cancel_scope.cancel(reason="the test has ended")
