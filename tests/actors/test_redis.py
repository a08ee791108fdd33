"""A backing in Redis, on virtual time: what it shares, and that whatever is wrong with the server is a miss."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import trio
from trio.testing import wait_all_tasks_blocked

from actors import open_supervisor
from actors.redis import MAX_DELAY_S, WATCH_S, RedisBacking, RedisEvent, RedisSpec
from actors.redis_address import RedisAddress
from tests.world.redis import HOST, PORT, FakeRedis
from ucr.stress.network import Hang, MemoryNetwork, Refuse

KEY, OTHER = b"k" * 32, b"o" * 32
SPEC = RedisSpec(RedisAddress.of(f"redis://{HOST}"), b"s" * 32)
WALL_S = 1_800_000_000.0


class Site:
    """A server and the backings of several machines."""

    def __init__(self) -> None:
        self.redis = FakeRedis()
        self.network = MemoryNetwork()
        self.events: list[RedisEvent] = []
        self.cleared: list[str] = []

    def machine(self, name: str = "one", spec: RedisSpec = SPEC) -> RedisBacking:
        backing = RedisBacking(
            spec,
            self.network,
            lambda: WALL_S + trio.current_time(),
            name,
            on_event=self.events.append,
            rng=lambda: 1.0,
            token=lambda: f"{name} at {trio.current_time()}",
        )
        backing.on_cleared = lambda: self.cleared.append(name)
        return backing

    def names(self) -> list[str]:
        return [event.name for event in self.events]


@asynccontextmanager
async def site(*specs: RedisSpec) -> AsyncIterator[tuple[Site, list[RedisBacking]]]:
    here = Site()
    async with trio.open_nursery() as nursery:
        await nursery.start(here.redis.listen, here.network)
        async with open_supervisor() as supervisor:
            made = [here.machine(f"machine {n}", spec) for n, spec in enumerate(specs or (SPEC,))]
            for backing in made:
                await supervisor.start(backing)
            await wait_all_tasks_blocked()
            yield here, made
        nursery.cancel_scope.cancel(reason="the test has ended")


async def settle(*, but_s: float = 0.0) -> None:
    await trio.sleep(but_s)
    await wait_all_tasks_blocked()


async def test_what_one_machine_keeps_another_finds_with_its_age_and_tags(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with site(SPEC, SPEC) as (_, (one, two)):
        assert await two.get(KEY) is None
        await one.put(KEY, b"entry", 10.0, ("model:a", "provider:b"))
        await trio.sleep(3.0)
        found = await two.get(KEY)
        assert found is not None
        assert (found.entry, round(found.age_s), found.tags) == (b"entry", 3, ("model:a", "provider:b"))
        await trio.sleep(7.0)
        assert await two.get(KEY) is None
        assert (two.statistics()["hits"], two.statistics()["misses"]) == (1, 2)


async def test_keys_in_the_server_tell_nothing_and_expire(autojump_clock: trio.abc.Clock) -> None:
    async with site() as (here, (one,)):
        await one.put(KEY, b"entry", 10.0, ())
        assert all(key.startswith(b"ucr:") for key in here.redis.names())
        assert SPEC.secret.hex().encode() not in b"".join(here.redis.names())
        await trio.sleep(10.0)
        assert here.redis.names() == []


async def test_routers_with_other_secrets_share_and_clear_nothing(autojump_clock: trio.abc.Clock) -> None:
    async with site(SPEC, replace(SPEC, secret=b"t" * 32)) as (_, (one, two)):
        await one.put(KEY, b"entry", 10.0, ())
        assert await two.get(KEY) is None
        assert await two.clear(None) == 0
        assert await one.get(KEY) is not None


async def test_what_a_stranger_put_there_is_a_miss(autojump_clock: trio.abc.Clock) -> None:
    async with site() as (here, (one,)):
        await one.put(KEY, b"entry", 10.0, ())
        await one.put(OTHER, b"other", 10.0, ())
        (first, value), (second, _) = here.redis.values.items()
        here.redis.values[second] = value
        assert await one.get(OTHER) is None
        here.redis.values[first] = (b"nonsense", value[1])
        assert await one.get(KEY) is None
        assert one.statistics()["unsealed"] == 2


async def test_no_more_bytes_are_read_than_an_entry_may_have(autojump_clock: trio.abc.Clock) -> None:
    async with site(replace(SPEC, max_entry_bytes=100)) as (here, (one,)):
        await one.put(KEY, b"x" * 101, 10.0, ())
        assert here.redis.names() == []
        await one.put(KEY, b"x" * 100, 10.0, ())
        (name,) = here.redis.names()
        here.redis.values[name] = (b"y" * 1_000_000, here.redis.values[name][1])
        before = sum(stream.sent_bytes for stream in here.redis.streams)  # type: ignore[attr-defined]
        assert await one.get(KEY) is None
        after = sum(stream.sent_bytes for stream in here.redis.streams)  # type: ignore[attr-defined]
        assert after - before < 10_000


async def test_clearing_by_a_tag_removes_what_has_it_and_nothing_else(autojump_clock: trio.abc.Clock) -> None:
    async with site() as (here, (one,)):
        here.redis.values[b"somebody else's"] = (b"value", float("inf"))
        for number in range(9):
            await one.put(bytes([number]) * 32, b"entry", 10.0, ("odd" if number % 2 else "even", "all"))
        assert await one.clear("odd") == 4
        assert [await one.get(bytes([n]) * 32) is not None for n in range(4)] == [True, False, True, False]
        assert await one.clear("nothing") == 0
        assert await one.clear(None) == 5
        assert b"somebody else's" in here.redis.values
        assert len(here.redis.names()) == 2


async def test_other_machines_learn_within_a_second_that_something_was_cleared(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with site(SPEC, SPEC) as (here, (one, _)):
        await one.clear("a")
        await settle(but_s=WATCH_S + 0.1)
        assert here.cleared == ["machine 1"]
        await settle(but_s=3 * WATCH_S)
        assert here.cleared == ["machine 1"]


async def test_what_is_written_during_a_clear_is_taken_back(autojump_clock: trio.abc.Clock) -> None:
    async with site(SPEC, SPEC) as (here, (one, two)):
        await one.clear(None)
        await two.put(KEY, b"asked before the clear", 10.0, ())
        assert await one.get(KEY) is None
        assert two.statistics()["unstored"] == 1
        assert here.cleared == ["machine 1"]
        await two.put(KEY, b"asked after it", 10.0, ())
        assert await one.get(KEY) is not None


async def test_a_write_whose_caller_is_cancelled_does_not_outlive_a_clear(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with site() as (here, (one,)):
        here.redis.delay_s = 0.01
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(one.put, KEY, b"entry", 100.0, ())
                await wait_all_tasks_blocked()
                scope.cancel(reason="the cache is being cleared")
        await one.clear(None)
        await settle(but_s=1.0)
        assert one.statistics()["stored"] + one.statistics()["unstored"] == 1
        assert await one.get(KEY) is None


async def test_a_full_server_is_counted_and_still_read(autojump_clock: trio.abc.Clock) -> None:
    async with site() as (here, (one,)):
        await one.put(KEY, b"entry", 10.0, ())
        here.redis.is_full = True
        await one.put(OTHER, b"entry", 10.0, ())
        assert await one.get(OTHER) is None
        assert await one.get(KEY) is not None
        numbers = one.statistics()
        assert (numbers["refused"], numbers["unstored"], numbers["connected"]) == (1, 1, 1)


async def test_a_silent_server_costs_three_waits_and_then_nothing_until_it_is_back(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with site() as (here, (one,)):
        await one.put(KEY, b"entry", 600.0, ())
        here.redis.is_stopped = True
        waits = []
        for _ in range(5):
            since = trio.current_time()
            assert await one.get(KEY) is None
            waits.append(round(trio.current_time() - since, 3))
        assert waits == [0.03, 0.03, 0.03, 0.0, 0.0]
        assert one.statistics()["late"] == 3
        assert one.statistics()["skipped"] == 2
        await settle(but_s=60.0)
        assert one.statistics()["connected"] == 0
        here.redis.resume()
        await settle(but_s=SPEC.connect_s + MAX_DELAY_S + 0.1)
        assert await one.get(KEY) is not None
        assert here.names() == ["connected", "lost", "connected"]


async def test_a_server_that_is_too_slow_is_left_alone(autojump_clock: trio.abc.Clock) -> None:
    async with site() as (here, (one,)):
        here.redis.delay_s = 0.06
        for _ in range(3):
            assert await one.get(KEY) is None
        await settle(but_s=30.0)
        assert one.statistics()["connected"] == 0
        here.redis.delay_s = 0.01
        await settle(but_s=MAX_DELAY_S + SPEC.connect_s)
        assert one.statistics()["connected"] == 1


async def test_nothing_waits_for_a_write_that_does_not_end(autojump_clock: trio.abc.Clock) -> None:
    async with site() as (here, (one,)):
        here.redis.is_stopped = True
        since = trio.current_time()
        await one.put(KEY, b"entry", 10.0, ())
        assert trio.current_time() - since == SPEC.write_s
        assert one.statistics()["connected"] == 0


async def test_what_is_being_written_is_bounded_by_bytes(autojump_clock: trio.abc.Clock) -> None:
    async with site(replace(SPEC, max_pending_bytes=1000)) as (here, (one,)):
        here.redis.delay_s = 0.04
        async with trio.open_nursery() as nursery:
            for number in range(10):
                nursery.start_soon(one.put, bytes([number]) * 32, b"x" * 300, 10.0, ())
        numbers = one.statistics()
        assert (numbers["stored"], numbers["unstored"]) == (3, 7)


async def test_what_is_asked_at_once_is_bounded(autojump_clock: trio.abc.Clock) -> None:
    async with site(replace(SPEC, max_calls=4)) as (here, (one,)):
        here.redis.delay_s = 0.01
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(one.get, KEY)
        numbers = one.statistics()
        assert (numbers["misses"], numbers["skipped"]) == (4, 6)


async def test_a_server_that_dies_is_a_miss_and_is_found_again(autojump_clock: trio.abc.Clock) -> None:
    async with site() as (here, (one,)):
        await one.put(KEY, b"entry", 600.0, ())
        here.network.afflict(HOST, PORT, Refuse())
        await here.redis.close()
        assert await one.get(KEY) is None
        await one.put(OTHER, b"entry", 600.0, ())
        await settle(but_s=20.0)
        here.network.afflict(HOST, PORT, Hang())
        await settle(but_s=20.0)
        here.network.afflict(HOST, PORT, None)
        await settle(but_s=SPEC.connect_s + MAX_DELAY_S + 0.1)
        assert await one.get(KEY) is not None
        assert here.names() == ["connected", "lost", "connected"]


async def test_who_writes_while_a_session_ends_is_not_taken_in_and_fails_nobody(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with site() as (here, (one,)), trio.open_nursery() as writers:
        here.redis.is_stopped = True
        writers.start_soon(one.put, KEY, b"entry", 600.0, ())
        await wait_all_tasks_blocked()
        writers.start_soon(here.redis.close)
        for _ in range(100):
            writers.start_soon(one.put, OTHER, b"entry", 600.0, ())
            await trio.lowlevel.checkpoint()
        assert one.statistics()["unstored"] > 50


async def test_attempts_grow_apart_while_nobody_is_there(autojump_clock: trio.abc.Clock) -> None:
    async with site() as (here, _):
        here.network.afflict(HOST, PORT, Refuse())
        await here.redis.close()
        before = here.network.attempts
        await settle(but_s=60.0)
        assert 8 <= here.network.attempts - before <= 20


async def test_a_clear_that_the_server_missed_is_made_up_for(autojump_clock: trio.abc.Clock) -> None:
    async with site() as (here, (one,)):
        await one.put(KEY, b"entry", 600.0, ("a",))
        here.network.afflict(HOST, PORT, Refuse())
        await here.redis.close()
        await wait_all_tasks_blocked()
        assert await one.clear("a") == 0
        here.network.afflict(HOST, PORT, None)
        await settle(but_s=MAX_DELAY_S + 0.1)
        assert one.statistics()["connected"] == 1
        assert await one.get(KEY) is None


async def test_a_wrong_password_is_told_once_and_without_it(autojump_clock: trio.abc.Clock) -> None:
    spec = replace(SPEC, address=RedisAddress.of(f"redis://:guess@{HOST}"))
    here = Site()
    here.redis.password = b"right"
    async with trio.open_nursery() as nursery:
        await nursery.start(here.redis.listen, here.network)
        async with open_supervisor() as supervisor:
            await supervisor.start(here.machine(spec=spec))
            await settle(but_s=30.0)
        nursery.cancel_scope.cancel(reason="the test has ended")
    assert here.names() == ["lost"]
    assert "guess" not in repr(here.events)
    assert "password" in str(here.events[0].error)
