"""The failure catalogue, 103 and 104: connections that are held open, and clients that leave or do not read."""

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import lockstep_stream_pair, wait_all_tasks_blocked

from tests.world import answers
from tests.world.attackers import see_alive
from tests.world.router import World, config_of, open_router, provider
from ucr.config.model import Server
from ucr.stress.attacks.bodies import GOOD
from ucr.stress.failing import faults, healthy
from ucr.stress.network import MemoryStream

pytestmark = pytest.mark.usefixtures("both_lanes")

CONFIG = config_of(provider("up", "anthropic"), server=Server(body_limit_bytes=1_000_000))
MANY = 100
HEAD = b"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"


async def drip(stream: MemoryStream, start: bytes, drop: bytes, pause_s: float) -> None:
    """Send a little again and again, for as long as it is taken."""
    try:
        await stream.send_all(start)
        while True:
            await trio.sleep(pause_s)
            await stream.send_all(drop)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        return


async def cut_after_s(world: World, start: bytes, drop: bytes, pause_s: float, found: list[float]) -> None:
    """Hold a connection open until the router ends it; note how long that took."""
    visitor = await world.connect()
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(drip, visitor.stream, start, drop, pause_s)
        try:
            while await visitor.stream.receive_some():
                pass
        except trio.BrokenResourceError:
            pass
        found.append(trio.current_time() - began)
        nursery.cancel_scope.cancel(reason="cut")
    await visitor.stream.aclose()


SLOW = {
    "idle": (b"", b"", 1000.0, 73.0),
    "half-a-line": (b"POS", b"", 1000.0, 73.0),
    "head-in-drips": (HEAD, b"x: y\r\n", 1.0, 13.0),
    "head-byte-by-byte": (HEAD, b"x", 0.5, 13.0),
    "second-head": (b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\nGET /h", b"x", 1.0, 13.0),
    "cold-head": (b"GET /nothing HTTP/1.1\r\n", b"x: y\r\n", 1.0, 13.0),
    "body-that-stops": (HEAD + b"content-length: 100\r\n\r\n{", b"", 1000.0, 33.0),
    "body-in-drips": (HEAD + b"content-length: 90000\r\n\r\n{", b"x", 5.0, 303.0),
    "chunks-in-drips": (HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 5.0, 303.0),
    "chunk-size-in-drips": (HEAD + b"transfer-encoding: chunked\r\n\r\n1;", b"x", 5.0, 303.0),
}
"""Ways of holding a connection: what is sent at first, what again, how often, and when it must be over."""


@pytest.mark.slow
@pytest.mark.parametrize(("start", "drop", "pause_s", "within_s"), SLOW.values(), ids=SLOW.keys())
async def test_fault_103_slow_clients_are_cut_in_time_and_hold_nobody_up(
    start: bytes, drop: bytes, pause_s: float, within_s: float, autojump_clock: object
) -> None:
    found: list[float] = []
    async with open_router(CONFIG, up=healthy.well) as world:
        async with trio.open_nursery() as nursery:
            for _ in range(MANY):
                nursery.start_soon(cut_after_s, world, start, drop, pause_s, found)
            await trio.sleep(1)
            began = trio.current_time()
            heard = await world.ask("/v1/messages", dict(GOOD))
            assert (heard.status, trio.current_time() - began <= 0.1) == (200, True)
        assert len(found) == MANY
        assert max(found) <= within_s
        assert len(world.upstreams["up"].requests) == 1
        await see_alive(world)


@pytest.mark.slow
async def test_fault_103_connections_that_come_and_go_leave_nothing(autojump_clock: object) -> None:
    pieces = (b"", b"G", b"GET /health HTTP/1.1\r\n", HEAD + b"content-length: 10\r\n\r\n123", HEAD)
    async with open_router(CONFIG, up=healthy.well) as world:
        await see_alive(world)
        tasks = trio.lowlevel.current_statistics().tasks_living
        for number in range(5 * MANY):
            visitor = await world.connect()
            await visitor.stream.send_all(pieces[number % len(pieces)])
            await (visitor.stream.reset() if number % 2 else visitor.stream.aclose())
        await trio.sleep(1)
        await wait_all_tasks_blocked()
        await see_alive(world)
        await trio.sleep(1)
        assert trio.lowlevel.current_statistics().tasks_living <= tasks


async def close(stream: MemoryStream) -> None:
    await stream.aclose()


async def reset(stream: MemoryStream) -> None:
    await stream.reset()


async def half_close(stream: MemoryStream) -> None:
    await stream.send_eof()


Leave = Callable[[MemoryStream], Awaitable[None]]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("target", ["/v1/messages", "/v1/chat/completions"])
@pytest.mark.parametrize("leave", [close, reset, half_close])
async def test_fault_104_a_client_that_leaves_takes_its_call_with_it(
    leave: Leave, target: str, stream: bool, autojump_clock: object
) -> None:
    config = config_of(provider("up", "openai-chat"))
    handler = faults.stalls if stream else answers.never()
    async with open_router(config, up=handler) as world:
        visitor = await world.connect()
        await visitor.send(target, {**GOOD, "stream": stream})
        await world.upstreams["up"].wait_requests(1)
        await trio.sleep(0.5)
        await leave(visitor.stream)
        with trio.fail_after(1):
            await world.upstreams["up"].wait_aborted(1)
        await trio.sleep(2)
        assert world.worker.tree.children["up"].status.in_flight == 0
        assert world.worker.api.requests().open == 0
        await see_alive(world)


async def test_fault_104_a_client_that_leaves_in_its_body_asks_nobody(autojump_clock: object) -> None:
    async with open_router(CONFIG, up=healthy.well) as world:
        for leave in (close, reset, half_close):
            visitor = await world.connect()
            await visitor.stream.send_all(HEAD + b'content-length: 100\r\n\r\n{"model"')
            await wait_all_tasks_blocked()
            await leave(visitor.stream)
            await trio.sleep(2)
            assert world.worker.api.requests().open == 0
        assert not world.upstreams["up"].requests
        await see_alive(world)


@pytest.mark.parametrize("dialect", ["anthropic", "openai-chat"])
async def test_fault_104_a_client_that_does_not_read_is_cut_off_and_its_call_ended(
    dialect: str, autojump_clock: object
) -> None:
    config = config_of(provider("up", dialect))
    async with open_router(config, lockstep_stream_pair, up=faults.talks_without_end) as world:
        visitor = await world.connect()
        await visitor.send("/v1/messages", {**GOOD, "stream": True})
        await world.upstreams["up"].wait_requests(1)
        with trio.fail_after(35):
            await world.upstreams["up"].wait_aborted(1)
        await trio.sleep(2)
        assert world.worker.tree.children["up"].status.in_flight == 0
        assert world.worker.api.requests().open == 0
        await visitor.stream.aclose()
