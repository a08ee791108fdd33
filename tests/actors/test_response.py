import gzip
import tracemalloc

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.errors import PoolError
from actors.request import Limits
from tests.world.pools import HELLO, LIMITS, open_pool_world, opened
from ucr.stress.upstream import Answer, Handler, SeenRequest

STREAM = (("content-type", "text/event-stream"),)


def pausing(pause_s: float) -> Handler:
    """Answer with two parts of a stream, and be silent between them."""

    async def stream(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, STREAM)
        await answer.send(b"one")
        await trio.sleep(pause_s)
        await answer.send(b"two")
        await answer.finish()

    return stream


async def test_each_read_of_the_connection_gives_its_bytes_at_once(autojump_clock: MockClock) -> None:
    async def stream(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, STREAM)
        for word in (b"one ", b"two ", b"three"):
            await answer.send(word)
            await trio.sleep(100)
        await answer.finish()

    async with open_pool_world(stream) as world, opened(world.pool, HELLO, LIMITS) as response:
        assert (response.status, response.headers[0]) == (200, ("content-type", "text/event-stream"))
        started_at = trio.current_time()
        received = []
        while data := await response.receive():
            received.append((data, trio.current_time() - started_at))
        assert received == [(b"one ", 0), (b"two ", 100), (b"three", 200)]
        assert await response.receive() == b""


async def test_what_is_here_is_received_without_waiting_and_nothing_else(autojump_clock: MockClock) -> None:
    async with open_pool_world(pausing(100)) as world, opened(world.pool, HELLO, LIMITS) as response:
        here, awaited = [], []
        while True:
            data = response.receive_now()
            if data is None:
                data = await response.receive()
                awaited.append(data)
            else:
                here.append(data)
            if not data:
                break
        assert b"".join(here + awaited) == b"onetwo"
        assert awaited
        assert response.receive_now() == b""
    assert response.receive_now() is None


@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_what_has_to_be_raised_is_not_received_without_waiting(coding: str) -> None:
    async def cut(request: SeenRequest, answer: Answer) -> None:
        body = b"half" if coding == "identity" else gzip.compress(b"half")[:-4]
        await answer.head(200, (*STREAM, ("content-encoding", coding)), close=coding == "gzip")
        await answer.send(body)
        await answer.close()

    async with open_pool_world(cut) as world, opened(world.pool, HELLO, LIMITS) as response:
        with pytest.raises(PoolError):
            while await response.receive():
                pass
        assert response.receive_now() is None


async def test_silence_in_the_body_ends_at_the_idle_limit(autojump_clock: MockClock) -> None:
    async def stall(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, STREAM)
        await answer.send(b"one")
        await trio.sleep_forever()

    async with open_pool_world(stall) as world, opened(world.pool, HELLO, LIMITS) as response:
        assert await response.receive() == b"one"
        started_at = trio.current_time()
        with pytest.raises(PoolError, match="no byte for 240 s") as caught:
            await response.receive()
        assert (caught.value.kind, caught.value.phase) == ("timeout", "idle")
        assert trio.current_time() == started_at + 240


async def test_the_silence_goes_on_over_a_receive_that_was_cancelled(autojump_clock: MockClock) -> None:
    async def stall(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, STREAM)
        await trio.sleep_forever()

    async with open_pool_world(stall) as world, opened(world.pool, HELLO, LIMITS) as response:
        started_at = trio.current_time()
        with pytest.raises(PoolError, match="no byte for 240 s"):
            while True:
                with trio.move_on_after(50):
                    await response.receive()
        assert trio.current_time() == started_at + 240


async def test_a_receive_that_was_cancelled_lost_nothing(autojump_clock: MockClock) -> None:
    async def late(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, STREAM)
        await trio.sleep(50)
        await answer.send(b"late")
        await answer.finish()

    async with open_pool_world(late) as world, opened(world.pool, HELLO, LIMITS) as response:
        with trio.move_on_after(20) as scope:
            await response.receive()
        assert scope.cancelled_caught
        assert await response.read() == b"late"
        assert world.pool.statistics().open == 1
    assert world.pool.statistics().reused == 0


async def test_the_time_of_a_slow_caller_is_no_silence(autojump_clock: MockClock) -> None:
    async with open_pool_world(pausing(1100)) as world, opened(world.pool, HELLO, LIMITS) as response:
        assert await response.receive() == b"one"
        await trio.sleep(1000)
        assert await response.receive() == b"two"


@pytest.mark.parametrize("break_off", ["close", "reset"])
async def test_a_body_that_is_cut_off_is_a_reset_after_its_last_bytes(break_off: str) -> None:
    async def cut(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, STREAM)
        await answer.send(b"half")
        await getattr(answer, break_off)()

    async with open_pool_world(cut) as world, opened(world.pool, HELLO, LIMITS) as response:
        assert await response.receive() == b"half"
        with pytest.raises(PoolError) as caught:
            await response.receive()
        assert (caught.value.kind, caught.value.phase) == ("reset", "idle")


async def test_a_body_without_length_ends_where_the_connection_ends() -> None:
    async def close(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, close=True)
        await answer.send(b"all of it")
        await answer.close()

    async with open_pool_world(close) as world:
        assert await world.call() == b"all of it"
        assert world.pool.statistics().idle == 0


async def test_a_declared_length_above_the_limit_is_refused_before_it_comes() -> None:
    async def declare(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, (("content-length", "1000"),))
        await trio.sleep_forever()

    async with open_pool_world(declare) as world, opened(world.pool, HELLO, LIMITS) as response:
        with pytest.raises(PoolError, match="more than 999 bytes") as caught:
            await response.read(999)
        assert caught.value.kind == "too_large"


@pytest.mark.parametrize(("limit_bytes", "limits"), [(9, LIMITS), (None, Limits(body_bytes=9))])
async def test_an_endless_body_is_cut_at_the_limit(limit_bytes: int | None, limits: Limits) -> None:
    async def endless(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200)
        while True:
            await answer.send(b"more")
            await wait_all_tasks_blocked()

    async with open_pool_world(endless) as world, opened(world.pool, HELLO, limits) as response:
        with pytest.raises(PoolError, match="more than 9 bytes") as caught:
            await response.read(limit_bytes)
        assert caught.value.kind == "too_large"


async def test_a_body_that_is_too_large_is_not_kept_with_the_error() -> None:
    size = 5_000_000

    async def large(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200)
        while True:
            await answer.send(b"x" * 100_000)
            await wait_all_tasks_blocked()

    async with open_pool_world(large) as world, opened(world.pool, HELLO, LIMITS) as response:
        tracemalloc.start()
        with pytest.raises(PoolError) as caught:
            await response.read(size)
        kept, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert caught.value.__traceback__ is not None
        assert kept < size // 5 < size < most


async def test_the_repr_shows_how_far_it_is() -> None:
    async with open_pool_world() as world, opened(world.pool, HELLO, LIMITS) as response:
        await response.read()
        assert repr(response) == "<UpstreamResponse 200, <ResponseReader 200, complete>>"


async def test_a_response_cannot_be_read_after_its_block() -> None:
    async with open_pool_world() as world:
        async with opened(world.pool, HELLO, LIMITS) as response:
            pass
        with pytest.raises(trio.ClosedResourceError):
            await response.receive()
