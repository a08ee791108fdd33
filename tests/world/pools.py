"""A pool with an upstream at the other end, on the network in memory."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio
from trio.testing import memory_stream_pair

from actors.pool import Pool
from actors.request import Limits, Origin, UpstreamRequest
from actors.response import UpstreamResponse
from ucr.stress.network import MemoryNetwork, Pair
from ucr.stress.upstream import Answer, Handler, SeenRequest, Upstream

ORIGIN = Origin("http", "upstream.test", 9101)
LIMITS = Limits(connect_s=5, first_byte_s=300, idle_s=240)
HELLO = UpstreamRequest("POST", "/v1/messages", (("content-type", "application/json"),), b'{"hello": 1}')


@dataclass(frozen=True, slots=True)
class PoolWorld:
    """The pool and everything round it."""

    pool: Pool
    network: MemoryNetwork
    upstream: Upstream

    async def call(self, request: UpstreamRequest = HELLO, limits: Limits = LIMITS) -> bytes:
        """Make one exchange and return its body."""
        with await self.pool.start(request, limits) as response:
            return await response.read()


async def say_ok(request: SeenRequest, answer: Answer) -> None:
    """The handler of an upstream that is well."""
    await answer.reply(200, b"ok")


@asynccontextmanager
async def opened(
    pool: Pool, request: UpstreamRequest = HELLO, limits: Limits = LIMITS
) -> AsyncIterator[UpstreamResponse]:
    """Make one exchange as a block, so that it can be one of several."""
    with await pool.start(request, limits) as response:
        yield response


@asynccontextmanager
async def open_pool_world(
    *handlers: Handler,
    early: bool = False,
    make_pair: Callable[[], Pair] = memory_stream_pair,
    max_connections: int = 100,
) -> AsyncIterator[PoolWorld]:
    """Serve the handlers, and leave nothing behind: every connection must have been closed by then."""
    network = MemoryNetwork(make_pair)
    upstream = Upstream(*(handlers or (say_ok,)), early=early)
    pool = Pool(ORIGIN, network, max_connections=max_connections)
    async with trio.open_nursery() as nursery:
        listener = network.listener(ORIGIN.host, ORIGIN.port)
        nursery.start_soon(trio.serve_listeners, upstream.serve, [listener])
        yield PoolWorld(pool, network, upstream)
        await pool.aclose()
        assert pool.statistics().open == 0
        assert all(stream.is_closed for stream in network.streams)
        nursery.cancel_scope.cancel()
