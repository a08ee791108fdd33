from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.cache import Cache
from actors.cache_spec import CacheSpec
from actors.errors import ActorCrashed, ActorStopped, AskTimeout
from actors.lookup import AwaitClear, Busy, Clear, Fill, Forfeit, Found, Gone, Hit, Lookup, Note, Recall, Store
from actors.supervisor import open_supervisor
from actors.ticket import Ticket
from tests.world.sweep import Scenario, cancellation_sweep

KEY = b"k"
SPEC = CacheSpec(ttl_s=60.0, max_entries=10, max_bytes=10_000, fill_s=5.0, max_followers=2)
UNKNOWN: Any = object()


@asynccontextmanager
async def open_cache(spec: CacheSpec = SPEC) -> AsyncIterator[Cache]:
    async with open_supervisor(rng=lambda: 1.0) as supervisor:
        yield await supervisor.start(Cache(spec))


async def filled(cache: Cache, entry: bytes, key: bytes = KEY) -> None:
    found = await cache.ref.ask(Lookup(key))
    assert isinstance(found, Fill)
    cache.ref.tell(Store(found.ticket, entry))


class Followers:
    """Askers who wait for a fill, and what became of them."""

    def __init__(self, cache: Cache, nursery: trio.Nursery) -> None:
        self.found: dict[str, Found | str] = {}
        self.scopes: dict[str, trio.CancelScope] = {}
        self._cache, self._nursery = cache, nursery

    async def join(self, name: str) -> None:
        self._nursery.start_soon(self._ask, name)
        await wait_all_tasks_blocked()

    async def _ask(self, name: str) -> None:
        with trio.CancelScope() as self.scopes[name]:
            try:
                self.found[name] = await self._cache.ref.ask(Lookup(KEY))
            except (ActorCrashed, ActorStopped) as error:
                self.found[name] = type(error).__name__


async def test_what_is_stored_is_found_with_its_age(autojump_clock: MockClock) -> None:
    async with open_cache() as cache:
        await filled(cache, b"entry")
        await trio.sleep(7)
        assert await cache.ref.ask(Lookup(KEY)) == Hit(b"entry", 7.0)
        await trio.sleep(60)
        assert isinstance(await cache.ref.ask(Lookup(KEY)), Fill)
        seen = cache.statistics()
    assert (seen.hits, seen.misses, seen.stored, seen.entries, seen.filling) == (1, 2, 1, 0, 1)


async def test_those_who_join_get_what_the_filler_stores(autojump_clock: MockClock) -> None:
    async with open_cache() as cache, trio.open_nursery() as nursery:
        found = await cache.ref.ask(Lookup(KEY))
        assert isinstance(found, Fill)
        followers = Followers(cache, nursery)
        await followers.join("a")
        await followers.join("b")
        assert cache.statistics().waiting == 2
        cache.ref.tell(Store(found.ticket, b"entry"))
        await wait_all_tasks_blocked()
        assert followers.found == {"a": Hit(b"entry", 0.0), "b": Hit(b"entry", 0.0)}
        assert cache.statistics().waiting == 0


async def test_who_does_not_join_or_finds_no_place_is_told_that_the_key_is_busy(
    autojump_clock: MockClock,
) -> None:
    async with open_cache() as cache, trio.open_nursery() as nursery:
        await cache.ref.ask(Lookup(KEY))
        assert await cache.ref.ask(Lookup(KEY, joins=False)) == Busy()
        followers = Followers(cache, nursery)
        for name in "abc":
            await followers.join(name)
        assert followers.found == {"c": Busy()}
        assert cache.statistics().busy == 2
        nursery.cancel_scope.cancel()


async def test_when_a_filler_forfeits_the_next_one_who_waits_fills(autojump_clock: MockClock) -> None:
    async with open_cache() as cache, trio.open_nursery() as nursery:
        first = await cache.ref.ask(Lookup(KEY))
        assert isinstance(first, Fill)
        followers = Followers(cache, nursery)
        await followers.join("a")
        await followers.join("b")
        cache.ref.tell(Forfeit(first.ticket))
        await wait_all_tasks_blocked()
        second = followers.found["a"]
        assert isinstance(second, Fill)
        assert "b" not in followers.found
        cache.ref.tell(Store(second.ticket, b"entry"))
        await wait_all_tasks_blocked()
        assert followers.found["b"] == Hit(b"entry", 0.0)


async def test_what_is_not_to_be_kept_is_for_those_who_wait_and_nobody_else(autojump_clock: MockClock) -> None:
    async with open_cache() as cache, trio.open_nursery() as nursery:
        found = await cache.ref.ask(Lookup(KEY))
        assert isinstance(found, Fill)
        followers = Followers(cache, nursery)
        await followers.join("a")
        cache.ref.tell(Store(found.ticket, b"entry", is_kept=False))
        await wait_all_tasks_blocked()
        assert followers.found == {"a": Hit(b"entry", 0.0)}
        assert isinstance(await cache.ref.ask(Lookup(KEY)), Fill)
        assert (cache.statistics().stored, cache.statistics().entries) == (0, 0)


async def test_what_those_were_to_fill_who_are_gone_is_filled_by_the_next_one(
    autojump_clock: MockClock,
) -> None:
    async with open_cache() as cache, trio.open_nursery() as nursery:
        for key in (KEY, b"other", b"third"):
            assert isinstance(await cache.ref.ask(Lookup(key, filler="gone")), Fill)
        assert isinstance(await cache.ref.ask(Lookup(b"fourth", filler="there")), Fill)
        followers = Followers(cache, nursery)
        await followers.join("a")
        await followers.join("b")
        cache.ref.tell(Gone("gone"))
        await wait_all_tasks_blocked()
        assert isinstance(followers.found["a"], Fill)
        assert "b" not in followers.found
        assert (cache.statistics().filling, cache.statistics().forfeited) == (2, 3)
        nursery.cancel_scope.cancel()


async def test_a_follower_who_has_left_is_forgotten_and_never_promoted(autojump_clock: MockClock) -> None:
    async with open_cache() as cache, trio.open_nursery() as nursery:
        first = await cache.ref.ask(Lookup(KEY))
        assert isinstance(first, Fill)
        followers = Followers(cache, nursery)
        await followers.join("a")
        await followers.join("b")
        followers.scopes["a"].cancel()
        await wait_all_tasks_blocked()
        assert cache.statistics().waiting == 1
        followers.scopes["b"].cancel()
        cache.ref.tell(Forfeit(first.ticket))
        await wait_all_tasks_blocked()
        assert (cache.statistics().filling, cache.statistics().waiting) == (0, 0)
        assert isinstance(await cache.ref.ask(Lookup(KEY)), Fill)


async def test_a_fill_that_takes_too_long_goes_to_the_next_one_who_waits(autojump_clock: MockClock) -> None:
    async with open_cache() as cache, trio.open_nursery() as nursery:
        first = await cache.ref.ask(Lookup(KEY))
        assert isinstance(first, Fill)
        followers = Followers(cache, nursery)
        await trio.sleep(3)
        await followers.join("a")
        await trio.sleep(3)
        assert isinstance(followers.found["a"], Fill)
        cache.ref.tell(Store(first.ticket, b"too late"))
        await wait_all_tasks_blocked()
        assert (cache.statistics().late, cache.statistics().entries) == (1, 0)


async def test_a_fill_over_its_time_is_given_to_whoever_asks_next(autojump_clock: MockClock) -> None:
    async with open_cache() as cache:
        await cache.ref.ask(Lookup(KEY))
        await trio.sleep(5)
        assert isinstance(await cache.ref.ask(Lookup(KEY, joins=False)), Fill)
        assert cache.statistics().filling == 1


async def test_a_follower_whose_own_deadline_passes_is_forgotten(autojump_clock: MockClock) -> None:
    async with open_cache() as cache:
        await cache.ref.ask(Lookup(KEY))
        with pytest.raises(AskTimeout):
            await cache.ref.ask(Lookup(KEY), deadline=trio.current_time() + 1)
        await wait_all_tasks_blocked()
        assert cache.statistics().waiting == 0


async def test_clearing_forgets_the_entries_and_keeps_no_fill_that_is_under_way(
    autojump_clock: MockClock,
) -> None:
    async with open_cache() as cache:
        await filled(cache, b"entry", b"other")
        found = await cache.ref.ask(Lookup(KEY))
        assert isinstance(found, Fill)
        assert await cache.ref.ask(Clear()) == 1
        cache.ref.tell(Store(found.ticket, b"old"))
        assert isinstance(await cache.ref.ask(Lookup(KEY)), Fill)
        assert isinstance(await cache.ref.ask(Lookup(b"other")), Fill)


async def test_what_does_not_fit_is_counted(autojump_clock: MockClock) -> None:
    async with open_cache(replace(SPEC, max_entries=1)) as cache:
        await filled(cache, b"x" * 20_000)
        await filled(cache, b"a", b"1")
        await filled(cache, b"b", b"2")
        await wait_all_tasks_blocked()
        seen = cache.statistics()
    assert (seen.too_large, seen.stored, seen.evicted, seen.entries) == (1, 2, 1, 1)


async def test_a_crash_costs_the_entries_and_the_asks_in_hand_and_no_total(autojump_clock: MockClock) -> None:
    async with open_cache() as cache, trio.open_nursery() as nursery:
        await filled(cache, b"entry", b"other")
        found = await cache.ref.ask(Lookup(KEY))
        assert isinstance(found, Fill)
        followers = Followers(cache, nursery)
        await followers.join("a")
        cache.ref.tell(UNKNOWN)
        await wait_all_tasks_blocked()
        assert followers.found == {"a": "ActorCrashed"}
        assert (cache.statistics().entries, cache.statistics().misses) == (0, 2)
        cache.ref.tell(Store(found.ticket, b"of another life"))
        again = await cache.ref.ask(Lookup(KEY))
        assert isinstance(again, Fill)
        assert again.ticket != found.ticket
        assert cache.statistics().late == 1


@asynccontextmanager
async def cancelled_filler() -> AsyncIterator[Scenario]:
    """Somebody waits for a fill, gets it by promotion, and fills; whenever it is cancelled, the next one can."""
    async with open_cache() as cache, trio.open_nursery() as nursery:
        first = await cache.ref.ask(Lookup(KEY))
        assert isinstance(first, Fill)

        async def act() -> None:
            found = await cache.ref.ask(Lookup(KEY))
            assert isinstance(found, Fill)
            with Ticket(cache.ref, found.ticket) as ticket:
                await trio.sleep(1)
                ticket.entry = b"entry"

        async def forfeit() -> None:
            await trio.sleep(1)
            cache.ref.tell(Forfeit(first.ticket))

        async def check() -> None:
            await trio.sleep(2)
            await wait_all_tasks_blocked()
            assert (cache.statistics().filling, cache.statistics().waiting) == (0, 0)

        nursery.start_soon(forfeit)
        yield Scenario(act, check)


def test_an_asker_cancelled_at_any_step_leaves_no_fill_behind() -> None:
    assert cancellation_sweep(cancelled_filler) >= 3


async def test_a_lookup_costs_no_change_of_tasks_while_nobody_waits_for_a_fill() -> None:
    async with open_cache() as cache:
        await wait_all_tasks_blocked()
        found = cache.ref.ask_nowait(Lookup(KEY))
        assert not found.is_open
        fill = await found.wait()
        assert isinstance(fill, Fill)
        cache.ref.tell(Store(fill.ticket, b"entry"))
        assert cache.statistics().stored == 1
        assert not cache.ref.ask_nowait(Lookup(KEY)).is_open


async def test_a_fill_that_is_waited_for_is_watched_although_its_lookup_was_taken_at_once(
    autojump_clock: MockClock,
) -> None:
    async with open_cache() as cache:
        await wait_all_tasks_blocked()
        first, second = (cache.ref.ask_nowait(Lookup(KEY)) for _ in range(2))
        assert (first.is_open, second.is_open) == (False, True)
        began = trio.current_time()
        assert isinstance(await second.wait(), Fill)
        assert trio.current_time() - began == SPEC.fill_s


async def test_a_lookup_that_crashes_the_cache_at_once_is_answered(autojump_clock: MockClock) -> None:
    async with open_cache() as cache:
        await filled(cache, b"entry")
        await wait_all_tasks_blocked()
        with pytest.raises(ActorCrashed):
            await cache.ref.ask(UNKNOWN)
        assert isinstance(await cache.ref.ask(Lookup(KEY)), Fill)


async def test_entries_are_forgotten_by_their_tags(autojump_clock: MockClock) -> None:
    async with open_cache() as cache:
        for key, tags in ((b"a", ("x", "y")), (b"b", ("y",)), (b"c", ())):
            found = await cache.ref.ask(Lookup(key))
            assert isinstance(found, Fill)
            cache.ref.tell(Store(found.ticket, b"entry", tags))
        assert await cache.ref.ask(Clear("x")) == 1
        assert await cache.ref.ask(Clear("nobody's")) == 0
        assert isinstance(await cache.ref.ask(Lookup(b"a")), Fill)
        assert await cache.ref.ask(Lookup(b"b")) == Hit(b"entry", 0.0)
        assert await cache.ref.ask(Clear()) == 2


async def test_a_derived_value_is_there_for_its_time_and_for_whoever_asks(autojump_clock: MockClock) -> None:
    async with open_cache(replace(SPEC, derived_ttl_s=20.0)) as cache:
        assert await cache.ref.ask(Recall(KEY)) is None
        cache.ref.tell(Note(KEY, b"7"))
        await trio.sleep(5)
        assert await cache.ref.ask(Recall(KEY)) == Hit(b"7", 5.0)
        assert isinstance(await cache.ref.ask(Lookup(KEY)), Fill)
        await trio.sleep(15)
        assert await cache.ref.ask(Recall(KEY)) is None
        seen = cache.statistics()
    assert (seen.derived_hits, seen.derived_misses, seen.derived) == (1, 2, 0)


async def test_derived_values_take_the_room_that_entries_leave(autojump_clock: MockClock) -> None:
    async with open_cache(replace(SPEC, max_total=3)) as cache:
        for number in range(5):
            cache.ref.tell(Note(bytes([number]), b"v"))
        assert await cache.ref.ask(Recall(bytes([1]))) is None
        assert await cache.ref.ask(Recall(bytes([2]))) == Hit(b"v", 0.0)
        assert cache.statistics().derived == 3
        await filled(cache, b"entry", b"a")
        await filled(cache, b"entry", b"b")
        assert (cache.statistics().entries, cache.statistics().derived) == (2, 1)
        assert await cache.ref.ask(Recall(bytes([2]))) == Hit(b"v", 0.0)
        await filled(cache, b"entry", b"c")
        await filled(cache, b"entry", b"d")
        assert (cache.statistics().entries, cache.statistics().derived) == (4, 0)
        await cache.ref.ask(Clear())
        cache.ref.tell(Note(KEY, b"v"))
        await cache.ref.ask(Clear("a tag"))
        assert cache.statistics().derived == 1
        await cache.ref.ask(Clear())
        assert cache.statistics().derived == 0


async def test_whoever_waits_for_a_clear_by_others_is_told_once_and_may_leave(autojump_clock: object) -> None:
    async with open_supervisor() as supervisor:
        cache = await supervisor.start(Cache(CacheSpec()))
        assert await cache.ref.ask(AwaitClear(-1)) == 0
        with trio.move_on_after(1):
            await cache.ref.ask(AwaitClear(0))
        told: list[int] = []

        async def wait() -> None:
            told.append(await cache.ref.ask(AwaitClear(0)))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            nursery.start_soon(wait)
            await wait_all_tasks_blocked()
            await cache.ref.ask(Clear())
            await wait_all_tasks_blocked()
            assert told == []
            await cache.ref.ask(Clear(spares_backing=True))
        assert told == [1, 1]
        assert await cache.ref.ask(AwaitClear(0)) == 1
