from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.cache import Cache
from actors.cache_spec import CacheSpec
from actors.lookup import Busy, Clear, Fill, Forfeit, Found, Hit, Lookup, Store
from actors.supervisor import open_supervisor
from tests.world.backing import DictBacking

KEY = b"k"
SPEC = CacheSpec(ttl_s=60.0, fill_s=5.0, max_followers=2)


@asynccontextmanager
async def open_cache(backing: DictBacking, spec: CacheSpec = SPEC) -> AsyncIterator[Cache]:
    async with open_supervisor(rng=lambda: 1.0) as supervisor:
        yield await supervisor.start(Cache(spec, backing=backing))


async def filled(cache: Cache, entry: bytes, key: bytes = KEY, tags: tuple[str, ...] = ()) -> None:
    found = await cache.ref.ask(Lookup(key))
    assert isinstance(found, Fill)
    cache.ref.tell(Store(found.ticket, entry, tags))


async def test_what_one_cache_stored_the_next_one_finds_in_the_backing(autojump_clock: MockClock) -> None:
    backing = DictBacking()
    async with open_cache(backing) as cache:
        await filled(cache, b"entry", tags=("model:m",))
        await wait_all_tasks_blocked()
        assert cache.statistics().written == 1
    await trio.sleep(7)
    async with open_cache(backing) as cache:
        assert await cache.ref.ask(Lookup(KEY)) == Hit(b"entry", 7.0)
        await trio.sleep(1)
        assert await cache.ref.ask(Lookup(KEY)) == Hit(b"entry", 8.0)
        seen = cache.statistics()
        assert (seen.hits, seen.loaded, seen.entries) == (2, 1, 1)
        assert await cache.ref.ask(Clear("model:m")) == 1
    assert backing.calls == ["get", "put", "get", "clear"]
    assert backing.kept == {}


async def test_what_is_loaded_ends_when_its_time_is_up_and_not_later(autojump_clock: MockClock) -> None:
    backing = DictBacking()
    backing.kept[KEY] = (b"entry", trio.current_time() - 50, trio.current_time() + 1000, ())
    async with open_cache(backing) as cache:
        assert await cache.ref.ask(Lookup(KEY)) == Hit(b"entry", 50.0)
        await trio.sleep(10)
        assert isinstance(await cache.ref.ask(Lookup(KEY)), Fill)


async def test_a_slow_backing_is_a_miss_for_one_and_a_wait_for_the_others(autojump_clock: MockClock) -> None:
    found: list[Found] = []
    async with open_cache(DictBacking(slow_s=9.0)) as cache, trio.open_nursery() as nursery:

        async def ask(joins: bool) -> None:
            found.append(await cache.ref.ask(Lookup(KEY, joins=joins)))

        began = trio.current_time()
        nursery.start_soon(ask, True)
        await wait_all_tasks_blocked()
        nursery.start_soon(ask, True)
        nursery.start_soon(ask, False)
        await wait_all_tasks_blocked()
        assert found == []
        await trio.sleep(SPEC.backing_s)
        await wait_all_tasks_blocked()
        assert trio.current_time() - began == SPEC.backing_s
        assert found == [Fill(1), Busy()] or found == [Busy(), Fill(1)]
        assert (cache.statistics().waiting, cache.statistics().not_loaded) == (1, 1)
        cache.ref.tell(Store(1, b"entry"))
        await wait_all_tasks_blocked()
        assert found[-1] == Hit(b"entry", 0.0)


async def test_lookups_of_one_key_share_one_look_into_the_backing(autojump_clock: MockClock) -> None:
    backing = DictBacking(slow_s=0.01)
    backing.kept[KEY] = (b"entry", trio.current_time(), trio.current_time() + 60, ())
    found: list[Found] = []
    async with open_cache(backing) as cache, trio.open_nursery() as nursery:

        async def ask() -> None:
            found.append(await cache.ref.ask(Lookup(KEY)))

        for _ in range(5):
            nursery.start_soon(ask)
    assert backing.calls == ["get"]
    assert sum(isinstance(one, Hit) for one in found) == 3
    assert found.count(Busy()) == 2


async def test_an_asker_who_leaves_during_the_look_leaves_nothing_behind(autojump_clock: MockClock) -> None:
    async with open_cache(DictBacking(slow_s=0.01)) as cache:
        with trio.move_on_after(0.005):
            await cache.ref.ask(Lookup(KEY))
        await trio.sleep(1)
        assert (cache.statistics().filling, cache.mailbox.unanswered) == (0, 0)


async def test_nothing_old_comes_back_when_it_was_cleared_during_the_look(autojump_clock: MockClock) -> None:
    backing = DictBacking(slow_s=0.03)
    backing.kept[KEY] = (b"old", trio.current_time(), trio.current_time() + 60, ())
    async with open_cache(backing) as cache, trio.open_nursery() as nursery:
        found: list[Found] = []

        async def ask() -> None:
            found.append(await cache.ref.ask(Lookup(KEY)))

        nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        nursery.start_soon(cache.ref.ask, Clear())
        await trio.sleep(0.02)
        nursery.start_soon(ask)
        await trio.sleep(0.02)
        assert all(isinstance(one, Fill) for one in found[:1])
        nursery.cancel_scope.cancel()


async def test_what_is_being_written_is_given_up_when_the_cache_is_cleared(autojump_clock: MockClock) -> None:
    backing = DictBacking(slow_s=0.03)
    async with open_cache(backing) as cache:
        await filled(cache, b"entry")
        await wait_all_tasks_blocked()
        assert await cache.ref.ask(Clear()) == 1
        await trio.sleep(1)
        assert (backing.kept, cache.statistics().unwritten) == ({}, 1)


async def test_memory_can_be_let_go_without_the_backing(autojump_clock: MockClock) -> None:
    backing = DictBacking()
    async with open_cache(backing) as cache:
        await filled(cache, b"entry")
        await wait_all_tasks_blocked()
        assert await cache.ref.ask(Clear(spares_backing=True)) == 1
        assert cache.statistics().entries == 0
        assert await cache.ref.ask(Lookup(KEY)) == Hit(b"entry", 0.0)


async def test_what_waits_to_be_written_is_bounded_in_bytes_and_in_time(autojump_clock: MockClock) -> None:
    backing = DictBacking(slow_s=99.0)
    async with open_cache(backing, replace(SPEC, writing_bytes=25)) as cache:
        for number in range(3):
            await filled(cache, b"x" * 10, bytes([number]))
        await trio.lowlevel.checkpoint()
        assert (cache.statistics().stored, cache.statistics().unwritten) == (3, 1)
        await trio.sleep(SPEC.write_s)
        assert cache.statistics().unwritten == 3
        await filled(cache, b"x" * 25, b"another")
        await wait_all_tasks_blocked()
        assert cache.statistics().unwritten == 3
        assert "0 bytes" not in repr(cache.backing)


async def test_who_renews_an_entry_does_not_look_at_the_old_one(autojump_clock: MockClock) -> None:
    backing = DictBacking()
    async with open_cache(backing) as cache:
        await filled(cache, b"old")
        await wait_all_tasks_blocked()
        found = await cache.ref.ask(Lookup(KEY, renews=True))
        assert isinstance(found, Fill)
        assert await cache.ref.ask(Lookup(KEY)) == Hit(b"old", 0.0)
        cache.ref.tell(Store(found.ticket, b"new"))
        assert await cache.ref.ask(Lookup(KEY)) == Hit(b"new", 0.0)
        await wait_all_tasks_blocked()
        assert backing.kept[KEY][0] == b"new"


async def test_a_renewal_that_comes_to_nothing_leaves_the_old_entry(autojump_clock: MockClock) -> None:
    async with open_cache(DictBacking()) as cache:
        await filled(cache, b"old")
        found = await cache.ref.ask(Lookup(KEY, renews=True))
        assert isinstance(found, Fill)
        cache.ref.tell(Forfeit(found.ticket))
        assert await cache.ref.ask(Lookup(KEY)) == Hit(b"old", 0.0)


async def test_of_two_clears_at_once_the_first_one_counts_what_is_in_the_backing(
    autojump_clock: MockClock,
) -> None:
    backing, counts = DictBacking(slow_s=0.1), dict[str, int]()
    backing.kept[KEY] = (b"entry", trio.current_time(), trio.current_time() + 1000, ())
    async with open_cache(backing) as cache, trio.open_nursery() as nursery:

        async def clear(name: str) -> None:
            counts[name] = await cache.ref.ask(Clear())

        for name in ("first", "second", "third"):
            nursery.start_soon(clear, name)
            await wait_all_tasks_blocked()
    assert counts == {"first": 1, "second": 0, "third": 0}
