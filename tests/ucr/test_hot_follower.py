"""The hot tier of a worker follows the cache of all workers, also across the process between them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from trio.testing import memory_stream_pair, wait_all_tasks_blocked

from actors import ActorStopped, Bridge, Cache, CacheMessage, CacheSpec, Clear, Ref, open_supervisor
from ucr.hot_follower import AGAIN_S, HotFollower
from ucr.store_wire import cache_codec


class Site:
    """A cache, and a follower of it at the other end of a connection."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self.cleared = 0

    def clear(self) -> None:
        self.cleared += 1


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    async with open_supervisor() as supervisor, trio.open_nursery() as nursery:
        here = Site(await supervisor.start(Cache(CacheSpec())))
        near, far = memory_stream_pair()
        bridge = Bridge[CacheMessage]("cache", near, cache_codec())
        nursery.start_soon(bridge.run)
        nursery.start_soon(Bridge[CacheMessage]("cached", far, cache_codec(), here.cache.ref).run)
        await supervisor.start(HotFollower(bridge.remote, here.clear))
        await wait_all_tasks_blocked()
        yield here
        nursery.cancel_scope.cancel(reason="the test has ended")


async def test_what_another_machine_cleared_is_forgotten_here_each_time(autojump_clock: trio.abc.Clock) -> None:
    async with site() as here:
        assert here.cleared == 0
        for number in range(1, 4):
            await here.cache.ref.ask(Clear(spares_backing=True))
            await wait_all_tasks_blocked()
            assert here.cleared == number


async def test_what_was_cleared_here_reaches_the_workers_in_another_way(autojump_clock: trio.abc.Clock) -> None:
    async with site() as here:
        await here.cache.ref.ask(Clear())
        await here.cache.ref.ask(Clear("model:m"))
        await trio.sleep(10)
        assert here.cleared == 0


class Fickle(Ref[CacheMessage]):
    """A cache whose answers to this ask are these; an error is raised, and then nothing comes any more."""

    def __init__(self, *answers: int | ActorStopped) -> None:
        self.answers = list(answers)
        self.times: list[float] = []

    async def ask(self, message: object, *, deadline: float = 0.0) -> int:  # type: ignore[override]
        self.times.append(trio.current_time())
        await trio.lowlevel.checkpoint()
        if not self.answers:
            await trio.sleep_forever()
        answer = self.answers.pop(0)
        if isinstance(answer, ActorStopped):
            raise answer
        return answer


async def test_a_cache_that_was_gone_is_asked_again_and_one_that_is_new_counts_as_emptied(
    autojump_clock: trio.abc.Clock,
) -> None:
    cleared: list[float] = []
    gone = ActorStopped("there is no connection")
    cache = Fickle(gone, 7, gone, gone, 0)
    with trio.move_on_after(10):
        await HotFollower(cache, lambda: cleared.append(trio.current_time())).run()
    start = cache.times[0]
    assert [round(time - start, 3) for time in cache.times] == [0.0, AGAIN_S, AGAIN_S, 1.0, 1.5, 1.5]
    assert [round(time - start, 3) for time in cleared] == [1.5]
