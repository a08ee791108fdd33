import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
import trio
from trio.testing import MockClock

from actors.request import Limits
from actors.transport import MAX_ORIGINS, PoolTransport
from tests.world.pools import say_ok
from ucr.stress.network import Hang, MemoryNetwork, Refuse, Reset, Silent
from ucr.stress.upstream import Answer, Handler, SeenRequest, Upstream

URL = "http://upstream.test"


@dataclass(frozen=True)
class World:
    client: httpx.AsyncClient
    transport: PoolTransport
    network: MemoryNetwork
    upstream: Upstream


@asynccontextmanager
async def open_world(*handlers: Handler, limits: Limits = Limits()) -> AsyncIterator[World]:  # noqa: B008
    network, upstream = MemoryNetwork(), Upstream(*(handlers or (say_ok,)))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            trio.serve_listeners, upstream.serve, [network.listener("upstream.test", port) for port in (80, 81)]
        )
        transport = PoolTransport(network, limits)
        async with httpx.AsyncClient(transport=transport, base_url=URL, timeout=30, trust_env=False) as client:
            yield World(client, transport, network, upstream)
        assert all(stream.is_closed for stream in network.streams)
        nursery.cancel_scope.cancel(reason="the test has ended")


async def test_a_client_of_httpx_asks_over_kept_connections() -> None:
    async with open_world() as world:
        for _ in range(2):
            answer = await world.client.post("/a?b=c", json={"x": 1}, headers={"x-key": "k"})
            assert (answer.status_code, answer.text) == (200, "ok")
        seen = world.upstream.requests[0]
        assert (seen.method, seen.path, seen.json(), seen.header("x-key")) == ("POST", "/a?b=c", {"x": 1}, "k")
        assert [request.connection for request in world.upstream.requests] == [1, 1]
        assert repr(world.transport) == "<PoolTransport to http://upstream.test>"


async def test_an_answer_streams(autojump_clock: MockClock) -> None:
    async def stream(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200)
        for word in (b"one", b"two"):
            await answer.send(word)
            await trio.sleep(20)
        await answer.finish()

    async with open_world(stream) as world, world.client.stream("POST", "/") as answer:
        heard = [(data, trio.current_time()) async for data in answer.aiter_raw()]
        assert heard == [(b"one", 0), (b"two", 20)]


async def test_a_body_that_is_made_piece_by_piece_is_sent_whole_with_its_length() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(3):
            await trio.lowlevel.checkpoint()
            yield b"%d," % number

    async with open_world() as world:
        await world.client.post("/", content=pieces())
        await world.client.post("/", files={"f": ("name", b"text")})
        first, second = world.upstream.requests
        assert (first.body, first.header("content-length"), first.header("transfer-encoding")) == (
            b"0,1,2,",
            "6",
            None,
        )
        assert b"text" in second.body


async def test_a_coded_answer_is_decoded_once() -> None:
    async def zipped(request: SeenRequest, answer: Answer) -> None:
        await answer.reply(200, gzip.compress(b"text"), (("content-encoding", "gzip"),))

    async with open_world(zipped) as world:
        assert (await world.client.get("/")).text == "text"


async def test_a_stream_that_is_left_early_or_cancelled_closes_its_connection() -> None:
    async def endless(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200)
        await answer.send(b"one")
        await trio.sleep_forever()

    async with open_world(endless) as world:
        async with world.client.stream("GET", "/"):
            pass
        await world.upstream.wait_aborted(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.client.get, "/")
            await world.upstream.wait_requests(2)
            nursery.cancel_scope.cancel(reason="the client leaves")
        await world.upstream.wait_aborted(2)
        await world.upstream.wait_closed()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Refuse(), httpx.ConnectError),
        (Hang(), httpx.ConnectTimeout),
        (Silent(), httpx.ReadTimeout),
        (Reset(0), httpx.ReadError),
        (Reset(43), httpx.ReadError),
    ],
    ids=str,
)
async def test_faults_are_told_in_the_words_of_httpx(
    fault: Refuse | Hang | Silent | Reset, error: type[Exception], autojump_clock: MockClock
) -> None:
    async with open_world() as world:
        world.network.script("upstream.test", 80, fault)
        with pytest.raises(error) as caught:
            await world.client.get("/")
        assert isinstance(caught.value, httpx.TransportError)
        assert caught.value.request.url == f"{URL}/"
        assert (await world.client.get("/")).text == "ok"


async def test_what_is_too_large_is_a_fault_in_both_directions() -> None:
    async with open_world(limits=Limits(body_bytes=1)) as world:
        with pytest.raises(httpx.RemoteProtocolError, match="more than 1 bytes"):
            await world.client.get("/")
        with pytest.raises(httpx.RemoteProtocolError, match="the request has more than 1 bytes"):
            await world.client.post("/", content=b"ab")
        assert len(world.upstream.requests) == 1


async def test_no_timeout_is_no_limit(autojump_clock: MockClock) -> None:
    async def slow(request: SeenRequest, answer: Answer) -> None:
        await trio.sleep(50_000)
        await answer.reply(200, b"late")

    async with open_world(slow) as world:
        assert (await world.client.get("/", timeout=None)).text == "late"


async def test_each_origin_has_its_pool_and_there_are_not_too_many() -> None:
    async with open_world() as world:
        await world.client.get("/")
        await world.client.get("http://upstream.test:81/")
        assert world.upstream.open_connections == 2
        for number in range(MAX_ORIGINS - 1):
            with pytest.raises(httpx.ConnectError):
                await world.client.get(f"http://other.test:{number + 1}/")
        assert world.network.streams[0].is_closed
        assert not world.network.streams[1].is_closed


async def test_other_schemes_are_refused() -> None:
    async with open_world() as world:
        with pytest.raises(httpx.UnsupportedProtocol):
            await world.client.get("ftp://upstream.test/")
