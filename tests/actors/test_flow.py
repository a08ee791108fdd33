"""Bodies that a pump reads, over sockets with and without TLS: the same bytes and the same ends as by `receive`."""

import math
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import trio
import trustme
from trio.testing import wait_all_tasks_blocked

from actors.errors import PoolError
from actors.pool import Pool
from actors.pump import Pump
from actors.request import Origin
from actors.response import UpstreamResponse
from tests.world.pools import HELLO, LIMITS
from tests.world.sockets import local_pair
from tests.world.tls import TlsServer, server_context
from ucr.stress.network import MemoryNetwork
from ucr.stress.upstream import Answer, Handler, SeenRequest, Upstream

PIECES = [b"%d:" % number + b"x" * (number * 997) for number in range(40)]
PATIENT = replace(LIMITS, first_byte_s=math.inf, idle_s=math.inf)


@asynccontextmanager
async def open_flow(
    handler: Handler, secure: bool, pump: Pump | None = None
) -> AsyncIterator[tuple[UpstreamResponse, Pump]]:
    """Ask an upstream once; the block gets the answer and a pump that runs."""
    pump = pump or Pump()
    authority = trustme.CA()
    network = MemoryNetwork(make_ends=local_pair)
    upstream = Upstream(handler)
    origin = Origin("https" if secure else "http", "up.test", 443)
    if secure:
        network.secure("up.test", 443, authority)
    serve = TlsServer(upstream, server_context(authority, "up.test")).serve if secure else upstream.serve
    context = ssl.create_default_context() if secure else None
    pool = Pool(origin, network, tls=context)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, [network.listener("up.test", 443)])
        nursery.start_soon(pump.run)
        await wait_all_tasks_blocked()
        with await pool.start(HELLO, PATIENT) as response:
            yield response, pump
        await pool.aclose()
        await upstream.wait_closed()
        nursery.cancel_scope.cancel()


def paced(pieces: list[bytes], *, then: Handler | None = None, pause_s: float = 1.0) -> Handler:
    async def handler(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200)
        for piece in pieces:
            await trio.sleep(pause_s)
            await answer.send(piece)
        await (answer.finish() if then is None else then(request, answer))

    return handler


async def read_all(response: UpstreamResponse, pump: Pump) -> tuple[bytes, int]:
    """Return a body, and how many times the pump had something of it."""
    taken: list[bytes] = []

    def take(data: bytes, now: float) -> bool:
        taken.append(data)
        return True

    body = b""
    while True:
        if response.can_flow(pump):
            await response.flow(pump, take)
        body += b"".join(taken)
        count = len(taken)
        data = await response.receive()
        body += data
        if not data:
            return body, count
        del taken[:]


SECURE = pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])


@SECURE
@pytest.mark.parametrize("pause_s", [1.0, 0.0])
async def test_a_body_is_read_whole(secure: bool, pause_s: float, autojump_clock: object) -> None:
    async with open_flow(paced(PIECES, pause_s=pause_s), secure) as (response, pump):
        body, _ = await read_all(response, pump)
    assert body == b"".join(PIECES)


@SECURE
async def test_nearly_all_of_a_paced_body_is_read_by_the_pump(secure: bool, autojump_clock: object) -> None:
    async def finish_later(request: SeenRequest, answer: Answer) -> None:
        """An end that came with the last piece would leave that to the task."""
        await trio.sleep(1.0)
        await answer.finish()

    async with open_flow(paced(PIECES, then=finish_later), secure) as (response, pump):
        taken: list[bytes] = []

        def take(data: bytes, now: float) -> bool:
            taken.append(data)
            return True

        first = await response.receive()
        assert response.can_flow(pump)
        await response.flow(pump, take)
        assert first + b"".join(taken) == b"".join(PIECES)
        assert await response.receive() == b""
        assert pump.flowing == 0


@SECURE
async def test_the_connection_is_kept_for_the_next_exchange(secure: bool, autojump_clock: object) -> None:
    async with open_flow(paced(PIECES[:5]), secure) as (response, pump):
        await read_all(response, pump)
        response.close()
        assert "1 idle" in repr(response._lender)


@SECURE
@pytest.mark.parametrize("how", ["reset", "close"])
async def test_a_body_that_is_cut_off_is_a_reset(secure: bool, how: str, autojump_clock: object) -> None:
    async def end(request: SeenRequest, answer: Answer) -> None:
        await trio.sleep(1)
        await (answer.reset() if how == "reset" and not secure else answer.close())

    async with open_flow(paced(PIECES[:5], then=end), secure) as (response, pump):
        with pytest.raises(PoolError) as caught:
            await read_all(response, pump)
    assert (caught.value.kind, caught.value.phase) == ("reset", "idle")


@SECURE
async def test_a_taker_that_wants_no_more_leaves_the_rest_to_receive(
    secure: bool, autojump_clock: object
) -> None:
    async with open_flow(paced(PIECES), secure) as (response, pump):
        body = await response.receive()
        taken: list[bytes] = []

        def take(data: bytes, now: float) -> bool:
            taken.append(data)
            return len(taken) < 3

        await response.flow(pump, take)
        body += b"".join(taken)
        assert len(taken) == 3
        while data := await response.receive():
            body += data
    assert body == b"".join(PIECES)


@SECURE
async def test_what_a_taker_raises_is_raised_to_who_waits(secure: bool, autojump_clock: object) -> None:
    def take(data: bytes, now: float) -> bool:
        raise KeyError("planted")

    async with open_flow(paced(PIECES), secure) as (response, pump):
        await response.receive()
        with pytest.raises(KeyError, match="planted"):
            await response.flow(pump, take)


@SECURE
async def test_a_connection_that_is_cut_while_it_flows_is_a_timeout(
    secure: bool, autojump_clock: object
) -> None:
    async with (
        open_flow(paced(PIECES, pause_s=1000.0), secure) as (response, pump),
        trio.open_nursery() as nursery,
    ):
        await response.receive()
        cut: list[float] = []
        response._on_wait = lambda waiting, phase: nursery.start_soon(cut_later, waiting, cut)
        with pytest.raises(PoolError) as caught:
            await response.flow(pump, lambda data, now: True)
        assert caught.value.kind == "timeout"
        assert cut == [trio.current_time()]


async def cut_later(waiting: object, cut: list[float]) -> None:
    await trio.sleep(10)
    cut.append(trio.current_time())
    waiting.cancel()  # type: ignore[attr-defined]


@SECURE
async def test_being_cancelled_loses_nothing(secure: bool, autojump_clock: object) -> None:
    async with open_flow(paced(PIECES[:4]), secure) as (response, pump):
        body = await response.receive()
        with trio.move_on_after(0.5) as scope:
            await response.flow(pump, lambda data, now: True)
        assert scope.cancelled_caught
        rest, _ = await read_all(response, pump)
    assert body + rest == b"".join(PIECES[:4])


async def test_a_coded_body_and_a_pump_that_does_not_run_are_not_for_it(autojump_clock: object) -> None:
    async def coded(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, (("content-encoding", "gzip"),))
        await answer.finish()

    async with open_flow(coded, False) as (response, pump):
        assert not response.can_flow(pump)
    async with open_flow(paced(PIECES), False) as (response, pump):
        assert response.can_flow(pump)
        assert not response.can_flow(Pump())
