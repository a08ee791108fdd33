import random
import ssl
import tracemalloc

import pytest
import trio
from trio.testing import MockClock, lockstep_stream_pair

from actors.connection import INLINE_BYTES, Connection, cause_of
from actors.errors import Phase, PoolError
from actors.network import RealNetwork
from actors.pool import Pool
from actors.request import Origin, UpstreamRequest, Waiting
from tests.world.pools import HELLO, LIMITS, open_pool_world, opened, say_ok
from ucr.stress.network import stream_pair
from ucr.stress.upstream import Answer, SeenRequest, Upstream

BIG = UpstreamRequest("POST", "/v1/messages", (), b"x" * (INLINE_BYTES * 4))


async def refuse_early(request: SeenRequest, answer: Answer) -> None:
    """An upstream that says no when it has seen the head, and never reads the body."""
    await answer.reply(413, b"too large")


@pytest.mark.parametrize("request_", [HELLO, BIG], ids=["small", "big"])
async def test_a_request_arrives_whole_and_its_connection_is_kept(request_: UpstreamRequest) -> None:
    async with open_pool_world() as world:
        for _ in range(2):
            assert await world.call(request_) == b"ok"
        assert [seen.body for seen in world.upstream.requests] == [request_.body] * 2
        assert [seen.header("content-length") for seen in world.upstream.requests] == [
            str(len(request_.body))
        ] * 2
        assert world.upstream.connections == 1


async def test_a_request_that_no_buffer_holds_arrives_whole_over_a_socket(nursery: trio.Nursery) -> None:
    body = random.Random(1).randbytes(12_000_000)
    upstream = Upstream(say_ok)
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, upstream.serve, [listener])
    pool = Pool(Origin("http", "127.0.0.1", listener.socket.getsockname()[1]), RealNetwork())
    for request in (HELLO, UpstreamRequest("POST", "/", (), body)):
        with await pool.start(request, LIMITS) as response:
            assert await response.read() == b"ok"
    assert upstream.requests[1].body == body
    assert pool.statistics().opened == 1
    await pool.aclose()
    nursery.cancel_scope.cancel(reason="the test has ended")


async def test_a_big_request_is_not_copied_to_be_sent(nursery: trio.Nursery) -> None:
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, Upstream(refuse_early, early=True).serve, [listener])
    pool = Pool(Origin("http", "127.0.0.1", listener.socket.getsockname()[1]), RealNetwork())
    body = b"x" * 12_000_000
    tracemalloc.start()
    try:
        with await pool.start(UpstreamRequest("POST", "/", (), body), LIMITS) as response:
            assert (response.status, await response.read()) == (413, b"too large")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < len(body) // 2
    await pool.aclose()
    nursery.cancel_scope.cancel(reason="the test has ended")


async def test_an_early_refusal_of_a_big_request_is_read_although_nobody_takes_the_rest() -> None:
    async with open_pool_world(refuse_early, early=True, make_pair=lockstep_stream_pair) as world:
        async with opened(world.pool, BIG, LIMITS) as response:
            assert (response.status, await response.read()) == (413, b"too large")
        assert world.pool.statistics().idle == 0


async def test_after_an_early_refusal_nothing_more_is_sent(autojump_clock: MockClock) -> None:
    async def refuse_slowly(request: SeenRequest, answer: Answer) -> None:
        await answer.head(413, (("content-length", "4"),))
        await trio.sleep(10)
        await answer.send(b"late")

    async with (
        open_pool_world(refuse_slowly, early=True, make_pair=lockstep_stream_pair) as world,
        opened(world.pool, BIG, LIMITS) as response,
    ):
        assert trio.current_time() == 0
        assert await response.read() == b"late"


async def test_an_early_refusal_and_a_closed_connection_are_a_refusal_and_no_reset() -> None:
    async def refuse_and_close(request: SeenRequest, answer: Answer) -> None:
        await answer.reply(413, b"too large")
        await answer.close()

    async with (
        open_pool_world(refuse_and_close, early=True) as world,
        opened(world.pool, BIG, LIMITS) as response,
    ):
        assert (response.status, await response.read()) == (413, b"too large")


async def test_an_early_success_is_read_while_the_rest_of_the_request_is_sent() -> None:
    """Neither side would go on if only one of the two were done at a time."""

    async def answer_while_reading(stream: trio.abc.Stream) -> None:
        taken = bytearray(await stream.receive_some(100))
        await stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n")
        await stream.send_all(bytes(199_999))
        while len(taken) < len(BIG.body):
            taken += await stream.receive_some(10_000)
        await stream.send_all(bytes(1))

    async with open_pool_world(make_pair=lockstep_stream_pair) as world, trio.open_nursery() as nursery:
        listener = world.network.listener("upstream.test", 9101)
        nursery.start_soon(trio.serve_listeners, answer_while_reading, [listener])
        assert await world.call(BIG) == bytes(200_000)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("request_", [HELLO, BIG], ids=["small", "big"])
async def test_an_upstream_that_takes_nothing_is_given_up_at_the_first_byte_limit(
    request_: UpstreamRequest, autojump_clock: MockClock
) -> None:
    async def read_nothing(stream: trio.abc.Stream) -> None:
        await trio.sleep_forever()

    async with open_pool_world(make_pair=lockstep_stream_pair) as world, trio.open_nursery() as nursery:
        listener = world.network.listener("upstream.test", 9101)
        nursery.start_soon(trio.serve_listeners, read_nothing, [listener])
        started_at = trio.current_time()
        with pytest.raises(PoolError) as caught:
            await world.call(request_)
        assert (caught.value.kind, caught.value.phase) == ("timeout", "first_byte")
        assert trio.current_time() == started_at + LIMITS.first_byte_s
        nursery.cancel_scope.cancel()


async def test_a_head_that_comes_drop_by_drop_is_cut_at_the_first_byte_limit(autojump_clock: MockClock) -> None:
    async def drip(request: SeenRequest, answer: Answer) -> None:
        await answer.raw(b"HTTP/1.1 200 OK\r\n")
        for number in range(1000):
            await trio.sleep(1)
            await answer.raw(b"x-%d: y\r\n" % number)

    async with open_pool_world(drip) as world:
        started_at = trio.current_time()
        with pytest.raises(PoolError, match="no answer within 300 s"):
            await world.call()
        assert trio.current_time() == started_at + 300


async def test_a_big_request_to_a_connection_that_was_closed_is_sent_again() -> None:
    async def close(request: SeenRequest, answer: Answer) -> None:
        await answer.reply(200, b"first")
        await answer.close()

    async with open_pool_world(close, say_ok) as world:
        assert await world.call(HELLO) == b"first"
        assert await world.call(BIG) == b"ok"
        assert world.pool.statistics().stale == 1


@pytest.mark.parametrize("size", [10, INLINE_BYTES * 2], ids=["small", "big"])
async def test_a_request_whose_connection_is_cut_before_it_is_sent_fails_as_one_that_is_cut_later(
    size: int, nursery: trio.Nursery
) -> None:
    """The connection came in the very turn in which the time was over."""

    def cut(waiting: Waiting, phase: Phase) -> None:
        if phase == "first_byte":
            waiting.cancel(reason="the time is over")

    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, Upstream(say_ok).serve, [listener])
    pool = Pool(Origin("http", "127.0.0.1", listener.socket.getsockname()[1]), RealNetwork())
    with pytest.raises(PoolError) as caught:
        await pool.start(UpstreamRequest("POST", "/", (), bytes(size)), LIMITS, cut)
    assert (caught.value.kind, caught.value.phase) == ("timeout", "first_byte")
    assert pool.statistics().open == 0
    nursery.cancel_scope.cancel(reason="the test has ended")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "[Errno 111] Connection refused"),
        (OSError(), "OSError"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "TLS: "),
    ],
)
def test_the_cause_that_trio_wraps_is_named(error: OSError, said: str) -> None:
    wrapped = trio.BrokenResourceError()
    wrapped.__cause__ = error
    assert cause_of(wrapped).startswith(said)
    assert cause_of(error) == cause_of(wrapped)


async def test_the_repr_shows_age_and_use(autojump_clock: MockClock) -> None:
    stream, _ = stream_pair()
    connection = Connection(stream, trio.current_time())
    await trio.sleep(3)
    assert repr(connection) == "<Connection of 3 s, 0 served>"
