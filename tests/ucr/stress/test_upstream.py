from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from actors.errors import PoolError
from actors.network import Network, RealNetwork
from actors.pool import Pool
from actors.request import Origin, UpstreamRequest
from tests.world.pools import HELLO, LIMITS, opened
from ucr.stress.network import MemoryNetwork
from ucr.stress.upstream import Answer, SeenRequest, Upstream

BIG = UpstreamRequest("POST", "/v1/messages", (), b"x" * 400_000)


@asynccontextmanager
async def serving(upstream: Upstream, kind: str) -> AsyncIterator[Pool]:
    """Serve on the network in memory or on a real socket; everything about the two must be the same."""
    async with trio.open_nursery() as nursery:
        network: Network
        if kind == "memory":
            network = memory = MemoryNetwork()
            nursery.start_soon(trio.serve_listeners, upstream.serve, [memory.listener("127.0.0.1", 80)])
            port = 80
        else:
            network = RealNetwork()
            listeners = await nursery.start(trio.serve_tcp, upstream.serve, 0)
            port = listeners[0].socket.getsockname()[1]
        pool = Pool(Origin("http", "127.0.0.1", port), network)
        yield pool
        await pool.aclose()
        await upstream.wait_closed()
        nursery.cancel_scope.cancel()


both = pytest.mark.parametrize("kind", ["memory", "sockets"])


@both
async def test_handlers_answer_in_turn_and_requests_are_recorded(kind: str) -> None:
    async def first(request: SeenRequest, answer: Answer) -> None:
        await answer.reply(200, b"first", (("x-a", "b"),))

    async def others(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200)
        for word in (b"a", b"b"):
            await answer.send(word)
        await answer.finish()

    upstream = Upstream(first, others)
    async with serving(upstream, kind) as pool:
        bodies = []
        for _ in range(3):
            async with opened(pool, HELLO, LIMITS) as response:
                bodies.append(await response.read())
    assert bodies == [b"first", b"ab", b"ab"]
    seen = upstream.requests[0]
    assert (seen.method, seen.path, seen.json(), seen.connection) == ("POST", "/v1/messages", {"hello": 1}, 1)
    assert (seen.header("content-type"), seen.header("no-such")) == ("application/json", None)


@both
@pytest.mark.parametrize("request_", [HELLO, BIG], ids=["small", "big"])
async def test_an_early_refusal_reaches_the_client(kind: str, request_: UpstreamRequest) -> None:
    async def refuse(request: SeenRequest, answer: Answer) -> None:
        await answer.reply(413, b"too large")

    async with serving(Upstream(refuse, early=True), kind) as pool, opened(pool, request_, LIMITS) as response:
        assert (response.status, await response.read()) == (413, b"too large")


@both
async def test_a_client_that_leaves_is_noticed_while_the_handler_waits(kind: str) -> None:
    async def wait(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200)
        await answer.send(b"one")
        await trio.sleep_forever()

    upstream = Upstream(wait)
    async with serving(upstream, kind) as pool:
        async with opened(pool, HELLO, LIMITS) as response:
            assert await response.receive() == b"one"
        with trio.fail_after(30):
            await upstream.wait_aborted(1)
    assert upstream.aborted == upstream.requests


@both
@pytest.mark.parametrize("after_head", [False, True])
async def test_a_reset_is_a_reset(kind: str, after_head: bool) -> None:
    async def reset(request: SeenRequest, answer: Answer) -> None:
        if after_head:
            await answer.head(200)
        await answer.reset()

    async with serving(Upstream(reset), kind) as pool:
        with pytest.raises(PoolError) as caught:
            async with opened(pool, HELLO, LIMITS) as response:
                await response.read()
        assert caught.value.kind == "reset"
