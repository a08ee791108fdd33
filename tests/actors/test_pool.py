import errno
import math
import os
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.connection import INLINE_BYTES
from actors.errors import Phase, PoolError
from actors.network import RealNetwork
from actors.pool import Pool
from actors.request import Limits, Origin, UpstreamRequest, Waiting
from actors.response import UpstreamResponse
from actors.tls import client_tls
from tests.world.pools import HELLO, LIMITS, ORIGIN, PoolWorld, open_pool_world, opened, say_ok
from tests.world.sweep import Scenario, cancellation_sweep
from ucr.stress.network import Hang, MemoryNetwork, Refuse, Reset, Silent
from ucr.stress.upstream import Answer, SeenRequest, Upstream

BIG = UpstreamRequest("POST", "/v1/messages", (), b"x" * (INLINE_BYTES + 1))


async def stream_for_ever(request: SeenRequest, answer: Answer) -> None:
    await answer.head(200)
    await answer.send(b"one")
    await trio.sleep_forever()


async def test_an_answer_that_was_started_holds_its_connection_until_it_is_closed() -> None:
    async with open_pool_world() as world:
        response = await world.pool.start(HELLO, LIMITS)
        assert await response.read() == b"ok"
        assert (world.pool.statistics().open, world.pool.statistics().idle) == (1, 0)
        for _ in range(2):
            response.close()
            assert (world.pool.statistics().open, world.pool.statistics().idle) == (1, 1)
        with await world.pool.start(HELLO, LIMITS) as response:
            pass
        assert (world.pool.statistics().open, world.pool.statistics().idle) == (0, 0)


@pytest.mark.slow
async def test_a_request_costs_the_same_with_ten_idle_connections_and_with_a_thousand() -> None:
    async with open_pool_world(max_connections=1000) as world:
        counts = []
        for connections in (10, 1000):
            held = [await world.pool.start(HELLO, LIMITS) for _ in range(connections)]
            for response in held:
                await response.read()
                response.close()
            assert world.pool.statistics().idle == connections
            counts.append(await calls_of_one_exchange(world))
        assert 0 < counts[0] == counts[1]


async def calls_of_one_exchange(world: PoolWorld) -> int:
    """Count the Python functions that the pool calls for an exchange: what Trio does meanwhile is not its own."""
    calls = 0

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call" and "/actors/" in frame.f_code.co_filename

    sys.setprofile(count)
    try:
        with await world.pool.start(HELLO, LIMITS) as response:
            await response.read()
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("phase", ["first_byte", "idle"])
async def test_a_limit_of_infinity_leaves_the_time_to_the_caller(phase: str, autojump_clock: MockClock) -> None:
    async def stall(request: SeenRequest, answer: Answer) -> None:
        if phase == "idle":
            await answer.head(200)
        await trio.sleep_forever()

    limits = Limits(first_byte_s=math.inf, idle_s=math.inf)
    async with open_pool_world(stall) as world:
        with trio.move_on_after(100_000) as scope:
            with await world.pool.start(HELLO, limits) as response:
                await response.receive()
        assert scope.cancelled_caught
        assert world.pool.statistics().open == 0
        await world.upstream.wait_aborted(1)


async def test_a_connection_is_used_again() -> None:
    async with open_pool_world() as world:
        for _ in range(3):
            assert await world.call() == b"ok"
        assert [seen.connection for seen in world.upstream.requests] == [1, 1, 1]
        statistics = world.pool.statistics()
        assert (statistics.open, statistics.idle, statistics.opened, statistics.reused) == (1, 1, 1, 2)
        assert repr(world.pool) == "<Pool of http://upstream.test:9101: 1/100 open, 1 idle>"
    assert repr(world.pool) == "<Pool of http://upstream.test:9101: closed>"


async def test_the_connection_that_became_idle_last_is_taken_first() -> None:
    async with open_pool_world() as world:
        async with opened(world.pool, HELLO, LIMITS) as first:
            await first.read()
            assert await world.call() == b"ok"
        await world.call()
        assert [seen.connection for seen in world.upstream.requests] == [1, 2, 1]
        assert world.pool.statistics().idle == 2


async def test_an_idle_connection_is_not_used_after_its_keep_alive(autojump_clock: MockClock) -> None:
    async with open_pool_world() as world:
        await world.call()
        await trio.sleep(59)
        await world.call()
        await trio.sleep(60)
        await world.call()
        assert [seen.connection for seen in world.upstream.requests] == [1, 1, 2]
        assert world.pool.statistics().open == 1


async def test_no_connection_lives_longer_than_ten_minutes(autojump_clock: MockClock) -> None:
    async with open_pool_world() as world:
        for _ in range(13):
            await world.call()
            await trio.sleep(50)
        assert [seen.connection for seen in world.upstream.requests] == [1] * 12 + [2]


async def test_old_connections_are_swept_out_from_the_bottom(autojump_clock: MockClock) -> None:
    async with open_pool_world() as world:
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(world.call)
        assert world.pool.statistics().idle == 5
        for _ in range(3):
            await trio.sleep(30)
            await world.call()
        assert (world.pool.statistics().idle, world.pool.statistics().open) == (1, 1)
        await wait_all_tasks_blocked()
        assert world.upstream.open_connections == 1


async def test_a_sweep_closes_what_has_grown_old_though_nobody_asks_for_a_connection(
    autojump_clock: MockClock,
) -> None:
    async with open_pool_world() as world:
        await world.call()
        await trio.sleep(59)
        world.pool.sweep()
        assert world.pool.statistics().idle == 1
        await trio.sleep(1)
        world.pool.sweep()
        assert (world.pool.statistics().idle, world.pool.statistics().open) == (0, 0)
        assert world.network.streams[0].is_closed


async def test_a_connection_that_the_upstream_closed_is_replaced_without_a_word(
    autojump_clock: MockClock,
) -> None:
    async def close_later(request: SeenRequest, answer: Answer) -> None:
        await answer.reply(200, b"first")
        answer.ends_connection = True

    async with open_pool_world(close_later, say_ok) as world:
        assert await world.call() == b"first"
        await wait_all_tasks_blocked()
        assert await world.call() == b"ok"
        statistics = world.pool.statistics()
        assert (statistics.stale, statistics.failed, statistics.opened) == (1, 0, 2)


async def test_a_fresh_connection_that_is_closed_without_an_answer_is_a_reset() -> None:
    async def leave(request: SeenRequest, answer: Answer) -> None:
        await answer.close()

    async with open_pool_world(leave) as world:
        with pytest.raises(PoolError, match="closed before the answer") as caught:
            await world.call()
        assert (caught.value.kind, caught.value.phase) == ("reset", "first_byte")
        assert (len(world.upstream.requests), world.pool.statistics().failed) == (1, 1)


async def test_a_request_is_not_sent_again_once_a_byte_of_the_answer_has_come() -> None:
    async def begin_and_leave(request: SeenRequest, answer: Answer) -> None:
        await answer.raw(b"H")
        await answer.close()

    async with open_pool_world(say_ok, begin_and_leave) as world:
        await world.call()
        with pytest.raises(PoolError) as caught:
            await world.call()
        assert caught.value.kind == "reset"
        assert len(world.upstream.requests) == 2


async def test_a_request_is_sent_twice_at_most() -> None:
    async def leave(request: SeenRequest, answer: Answer) -> None:
        await answer.close()

    async with open_pool_world(say_ok, leave) as world:
        await world.call()
        with pytest.raises(PoolError) as caught:
            await world.call()
        assert caught.value.kind == "reset"
        assert len(world.upstream.requests) == 3


@pytest.mark.parametrize(
    "answer_bytes",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
    ],
    ids=["bytes left over", "connection: close"],
)
async def test_a_connection_that_is_not_at_a_boundary_is_not_used_again(answer_bytes: bytes) -> None:
    async def answer_raw(request: SeenRequest, answer: Answer) -> None:
        await answer.raw(answer_bytes)

    async with open_pool_world(answer_raw, say_ok) as world:
        assert await world.call() == b"ok"
        assert await world.call() == b"ok"
        assert [seen.connection for seen in world.upstream.requests] == [1, 2]


async def test_a_response_that_is_left_half_read_closes_its_connection() -> None:
    async with open_pool_world(stream_for_ever) as world:
        async with opened(world.pool, HELLO, LIMITS) as response:
            assert await response.receive() == b"one"
        await world.upstream.wait_aborted(1)
        assert world.pool.statistics().open == 0


async def test_a_cancelled_exchange_closes_its_connection() -> None:
    async with open_pool_world(stream_for_ever) as world:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.call)
            await world.upstream.wait_requests(1)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        await world.upstream.wait_aborted(1)
        assert world.pool.statistics().open == 0


@pytest.mark.parametrize(
    ("fault", "kind", "phase", "after_s"),
    [
        (Refuse(), "connect", "connect", 0),
        (Hang(), "timeout", "connect", 5),
        (Silent(), "timeout", "first_byte", 300),
        (Reset(0), "reset", "first_byte", 0),
        (Reset(20), "reset", "first_byte", 0),
        (Reset(43), "reset", "idle", 0),
    ],
    ids=str,
)
async def test_faults_of_the_network_are_told_apart(
    fault: Refuse | Hang | Silent | Reset, kind: str, phase: str, after_s: float, autojump_clock: MockClock
) -> None:
    async with open_pool_world() as world:
        world.network.script(ORIGIN.host, ORIGIN.port, fault)
        started_at = trio.current_time()
        with pytest.raises(PoolError) as caught:
            await world.call()
        assert (caught.value.kind, caught.value.phase) == (kind, phase)
        assert trio.current_time() == started_at + after_s
        assert await world.call() == b"ok"


async def test_there_is_no_queue_for_a_connection() -> None:
    async with open_pool_world(max_connections=1) as world, opened(world.pool, HELLO, LIMITS):
        with pytest.raises(PoolError, match="has 1 connections in use") as caught:
            await world.call()
        assert caught.value.phase == "connect"


async def test_a_closed_pool_opens_nothing_and_lets_running_exchanges_end() -> None:
    async with open_pool_world() as world:
        async with opened(world.pool, HELLO, LIMITS) as response:
            await world.pool.aclose()
            with pytest.raises(PoolError, match="is closed"):
                await world.call()
            assert await response.read() == b"ok"
        assert world.pool.statistics().open == 0


async def test_a_request_that_cannot_be_written_opens_no_connection() -> None:
    async with open_pool_world() as world:
        with pytest.raises(PoolError, match="breaks its head"):
            await world.call(UpstreamRequest("POST", "/", (("a", "b\r\nc: d"),)))
        assert world.network.attempts == 0


async def test_an_error_of_the_block_comes_out_as_it_is() -> None:
    async with open_pool_world() as world:
        with pytest.raises(KeyError):
            async with opened(world.pool, HELLO, LIMITS):
                raise KeyError("bug")
        with pytest.raises(KeyError):
            async with opened(world.pool, BIG, LIMITS):
                raise KeyError("bug")


async def test_tls_is_asked_for_with_the_name_of_the_host() -> None:
    network = MemoryNetwork()
    network.script("upstream.test", 443, Silent(), Silent())
    tls = client_tls()
    for scheme, secured in (("https", "upstream.test"), ("http", None)):
        pool = Pool(Origin(scheme, "upstream.test", 443), network, tls=tls)  # type: ignore[arg-type]
        with pytest.raises(PoolError):
            async with opened(pool, HELLO, Limits(first_byte_s=0)):
                pass
        assert network.secured[-1] == secured


async def test_an_upstream_whose_certificate_is_wrong_cannot_be_connected_to() -> None:
    class Forged(MemoryNetwork):
        async def connect(self, *args: object, **options: object) -> trio.abc.Stream:  # type: ignore[override]
            error = trio.BrokenResourceError()
            error.__cause__ = ssl.SSLCertVerificationError(1, "certificate verify failed")
            raise error

    pool = Pool(Origin("https", "upstream.test", 443), Forged(), tls=client_tls())
    with pytest.raises(PoolError, match=r"TLS: .*certificate verify failed") as caught:
        async with opened(pool, HELLO, LIMITS):
            pass
    assert (caught.value.kind, caught.value.phase) == ("connect", "connect")


@pytest.mark.parametrize(
    ("number", "is_shortage"), [(errno.EMFILE, True), (errno.ENOBUFS, True), (errno.ECONNREFUSED, False)]
)
async def test_who_has_no_descriptor_for_a_connection_does_not_blame_the_upstream(
    number: int, is_shortage: bool
) -> None:
    class Full(MemoryNetwork):
        async def connect(self, *args: object, **options: object) -> trio.abc.Stream:  # type: ignore[override]
            raise OSError(number, os.strerror(number))

    pool = Pool(Origin("http", "upstream.test", 80), Full())
    with pytest.raises(PoolError, match=os.strerror(number)) as caught:
        async with opened(pool, HELLO, LIMITS):
            pass
    assert (caught.value.kind, caught.value.is_shortage) == ("connect", is_shortage)
    assert pool.statistics().open == 0


async def test_an_answer_to_nothing_on_an_idle_socket_is_not_taken_for_the_next_answer(
    nursery: trio.Nursery,
) -> None:
    upstream = Upstream(say_ok)
    streams: list[trio.SocketStream] = []

    async def serve(stream: trio.SocketStream) -> None:
        streams.append(stream)
        await upstream.serve(stream)

    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, serve, [listener])
    pool = Pool(Origin("http", "127.0.0.1", listener.socket.getsockname()[1]), RealNetwork())
    for _ in range(2):
        async with opened(pool, HELLO, LIMITS) as response:
            assert await response.read() == b"ok"
    assert len(streams) == 1
    await wait_all_tasks_blocked()
    await streams[0].send_all(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")
    async with opened(pool, HELLO, LIMITS) as response:
        assert response.status == 200
    assert (len(streams), pool.statistics().stale) == (2, 0)
    await pool.aclose()
    nursery.cancel_scope.cancel()


async def test_a_sweep_closes_what_the_upstream_has_ended(nursery: trio.Nursery) -> None:
    async def end_after_it(request: SeenRequest, answer: Answer) -> None:
        await answer.reply(200, b"ok")
        answer.ends_connection = True

    upstream = Upstream(end_after_it)
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, upstream.serve, [listener])
    pool = Pool(Origin("http", "127.0.0.1", listener.socket.getsockname()[1]), RealNetwork())
    async with opened(pool, HELLO, LIMITS) as response:
        assert await response.read() == b"ok"
    await upstream.wait_closed()
    assert pool.statistics().idle == 1
    pool.sweep()
    assert (pool.statistics().idle, pool.statistics().open) == (0, 0)
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("request_", [HELLO, BIG], ids=["small", "big"])
@pytest.mark.parametrize("warm", [False, True], ids=["fresh", "reused"])
def test_no_step_at_which_an_exchange_is_cancelled_loses_a_connection(
    request_: UpstreamRequest, warm: bool
) -> None:
    @asynccontextmanager
    async def scenario() -> AsyncIterator[Scenario]:
        async def stream(request: SeenRequest, answer: Answer) -> None:
            await answer.head(200)
            for _ in range(3):
                await answer.send(b"word ")
                await wait_all_tasks_blocked()
            await answer.finish()

        async with open_pool_world(stream) as world:
            if warm:
                await world.call()

            async def act() -> None:
                assert await world.call(request_) == b"word word word "

            async def check() -> None:
                statistics = world.pool.statistics()
                assert statistics.open == statistics.idle <= 1
                assert await world.call() == b"word word word "

            yield Scenario(act, check)

    assert cancellation_sweep(scenario) >= 5


async def test_the_caller_is_told_of_each_wait_and_may_end_it(autojump_clock: MockClock) -> None:
    waits: list[tuple[Waiting, Phase]] = []

    def note(waiting: Waiting, phase: Phase) -> None:
        waits.append((waiting, phase))

    async with open_pool_world(stream_for_ever) as world:
        for phases in (["connect", "first_byte", "idle"], ["connect", "first_byte", "idle", "idle"]):
            waits.clear()
            with await world.pool.start(HELLO, Limits(5, math.inf, math.inf), note) as response:
                assert await response.receive() == b"one"
                assert not response.is_ready
                with trio.move_on_after(1):
                    await response.receive()
                if len(phases) == 4:
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(raises_timeout, response)
                        await wait_all_tasks_blocked()
                        waits[-1][0].cancel(reason="late")
                        waits[-1][0].cancel(reason="late")
            assert [phase for _, phase in waits][: len(phases)] == phases
            assert world.pool.statistics().open == 0


async def raises_timeout(response: UpstreamResponse) -> None:
    with pytest.raises(PoolError) as caught:
        await response.receive()
    assert (caught.value.kind, caught.value.phase) == ("timeout", "idle")


async def test_a_reused_connection_that_was_cut_is_not_taken_for_a_stale_one(autojump_clock: MockClock) -> None:
    async with open_pool_world(say_ok, say_nothing) as world:
        await world.call()

        def cut(waiting: Waiting, phase: Phase) -> None:
            waiting.cancel(reason="too late")

        with pytest.raises(PoolError) as caught:
            await world.pool.start(HELLO, LIMITS, cut)
        assert caught.value.kind == "timeout"
        assert world.pool.statistics().stale == 0


async def say_nothing(request: SeenRequest, answer: Answer) -> None:
    await trio.sleep_forever()
