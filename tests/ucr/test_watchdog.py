import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from actors import Abandoned, Failure, PoolError, Timers, UpstreamResponse
from actors.request import Limits
from tests.world.pools import HELLO, PoolWorld, open_pool_world
from ucr.config.model import Provider, Timeouts
from ucr.errors import ApiError, ErrorType, Fault, UpstreamError
from ucr.patience import Patience
from ucr.stress.network import Hang
from ucr.stress.upstream import Answer, SeenRequest
from ucr.upstream import outcome_of
from ucr.watchdog import Watchdog, pool_fault

PROVIDER = Provider(
    "p", "openai-chat", "http://upstream.test:9101", timeouts=Timeouts(connect_s=5, first_byte_s=20, idle_s=30)
)
FOREVER = Limits(5, float("inf"), float("inf"))


async def say_nothing(request: SeenRequest, answer: Answer) -> None:
    await trio.sleep_forever()


async def drip(request: SeenRequest, answer: Answer) -> None:
    """Send a byte every 25 s."""
    await answer.head(200)
    while True:
        await answer.send(b".")
        await trio.sleep(25)


async def stop_midway(request: SeenRequest, answer: Answer) -> None:
    await answer.head(200)
    await answer.send(b"one")
    await trio.sleep_forever()


class Asker:
    """Asks the upstream of a world, held by a watchdog."""

    def __init__(self, world: PoolWorld, timers: Timers, total_s: float) -> None:
        self.world = world
        self.patience = Patience(total_s)
        self.watchdog = Watchdog(self.patience, timers, PROVIDER)

    async def start(self) -> UpstreamResponse:
        with self.watchdog:
            return await self.world.pool.start(HELLO, FOREVER, self.watchdog.on_wait)


@asynccontextmanager
async def asking(*handlers: object, total_s: float = 1000) -> AsyncIterator[Asker]:
    timers = Timers()
    async with open_pool_world(*handlers) as world, trio.open_nursery() as nursery:  # type: ignore[arg-type]
        nursery.start_soon(timers.run)
        yield Asker(world, timers, total_s)
        assert repr(timers) == "<Timers: 0 set>"
        nursery.cancel_scope.cancel(reason="the test has ended")


async def test_an_answer_that_comes_in_time_is_untouched(autojump_clock: MockClock) -> None:
    async with asking() as asker:
        with await asker.start() as response, asker.watchdog:
            assert await response.read() == b"ok"
        assert asker.world.pool.statistics().idle == 1


async def test_a_head_that_does_not_come_is_a_timeout(autojump_clock: MockClock) -> None:
    async with asking(say_nothing) as asker:
        began_s = trio.current_time()
        with pytest.raises(UpstreamError) as caught:
            await asker.start()
        assert trio.current_time() == began_s + 20
        assert (caught.value.fault, caught.value.type) == ("timeout", "timeout_error")
        assert caught.value.message == "provider 'p': no answer within 20 s"
        assert asker.patience.waited_s() == 20
        assert asker.world.pool.statistics().open == 0


async def test_a_silence_in_the_body_is_a_timeout(autojump_clock: MockClock) -> None:
    async with asking(stop_midway) as asker:
        with await asker.start() as response:
            began_s = trio.current_time()
            with pytest.raises(UpstreamError) as caught, asker.watchdog:
                await response.read()
        assert trio.current_time() == began_s + 30
        assert caught.value.message == "provider 'p': no byte for 30 s"
        assert asker.world.pool.statistics().open == 0


async def test_every_byte_ends_a_silence_but_not_the_wait_for_content(autojump_clock: MockClock) -> None:
    async with asking(drip) as asker:
        with await asker.start() as response:
            for _ in range(4):
                with asker.watchdog:
                    assert await response.receive() == b"."
            asker.watchdog.content_until = trio.current_time() + 10
            with pytest.raises(UpstreamError) as caught, asker.watchdog:
                await response.receive()
        assert caught.value.message == "provider 'p': no content within 30 s"


@pytest.mark.parametrize("handler", [say_nothing, stop_midway, drip])
async def test_the_time_of_the_whole_request_ends_every_wait(
    autojump_clock: MockClock, handler: object
) -> None:
    async with asking(handler, total_s=7) as asker:
        began_s = trio.current_time()
        with pytest.raises(UpstreamError) as caught, await asker.start() as response, asker.watchdog:
            await response.read()
        assert trio.current_time() == began_s + 7
        assert caught.value.message == "the answer took longer than 7 s"


async def test_connecting_is_ended_too(autojump_clock: MockClock) -> None:
    async with asking(total_s=3) as asker:
        asker.world.network.script("upstream.test", 9101, Hang())
        with pytest.raises(UpstreamError) as caught:
            await asker.start()
        assert caught.value.message == "the answer took longer than 3 s"


@pytest.mark.parametrize("handler", [say_nothing, stop_midway])
async def test_an_interruption_ends_the_wait_with_its_error(autojump_clock: MockClock, handler: object) -> None:
    error = ApiError("overloaded_error", "the router stops")
    async with asking(handler) as asker, trio.open_nursery() as nursery:

        async def interrupt() -> None:
            await trio.sleep(2)
            asker.patience.interrupt(error)

        nursery.start_soon(interrupt)
        with pytest.raises(ApiError) as caught, await asker.start() as response, asker.watchdog:
            await response.read()
        assert caught.value is error
        with pytest.raises(ApiError) as again, asker.watchdog:
            pytest.fail("the wait began")
        assert again.value is error


async def test_an_answer_that_came_when_it_was_cut_is_not_kept_for_others(autojump_clock: MockClock) -> None:
    async with asking() as asker:
        with await asker.start() as response, asker.watchdog:
            assert await response.read() == b"ok"
            asker.watchdog.cancel(reason="too late")
        assert asker.world.pool.statistics().open == 0


@pytest.mark.parametrize(
    ("error", "fault", "type_"),
    [
        (PoolError("connect", "w", phase="connect"), "connect", "overloaded_error"),
        (PoolError("timeout", "w", phase="connect"), "timeout", "timeout_error"),
        (PoolError("timeout", "w", phase="first_byte"), "timeout", "timeout_error"),
        (PoolError("timeout", "w", phase="idle"), "timeout", "timeout_error"),
        (PoolError("reset", "w", phase="first_byte"), "reset", "api_error"),
        (PoolError("protocol", "w", phase="idle"), "protocol", "api_error"),
        (PoolError("too_large", "w", phase="idle"), "protocol", "api_error"),
    ],
)
def test_every_failure_of_the_pool_has_its_meaning(error: PoolError, fault: Fault, type_: ErrorType) -> None:
    told = pool_fault("p", error)
    assert (told.fault, told.type, told.message) == (fault, type_, "provider 'p': w")
    outcome = outcome_of(told)
    assert isinstance(outcome, Failure)
    assert (outcome.kind == "connect") == told.is_unsent == (error.phase == "connect")


def test_a_want_of_descriptors_is_not_counted_against_the_provider() -> None:
    told = pool_fault("p", PoolError("connect", "Too many open files", phase="connect", is_shortage=True))
    assert (told.fault, told.type, told.status) == ("connect", "overloaded_error", 529)
    assert outcome_of(told) == Abandoned()


class Waits:
    """What waits, and nothing else."""

    def cancel(self, *, reason: str | None = None) -> None:
        """It is not cancelled."""


async def test_what_has_waited_is_held_no_longer(autojump_clock: MockClock) -> None:
    """It holds the stream that it reads for, and that its watchdog: a circle, for the collector to find."""
    watchdog = Watchdog(Patience(1000), Timers(), PROVIDER)
    waits = Waits()
    with watchdog:
        watchdog.on_wait(waits, "idle")
    left = weakref.ref(waits)
    del waits
    assert left() is None
