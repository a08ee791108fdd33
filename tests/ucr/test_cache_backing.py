"""What stands behind the cache of answers: which backing, what the log says of it, and caches that follow a clear."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from actors import (
    Cache,
    CacheSpec,
    Fill,
    Hit,
    Lookup,
    RedisAddress,
    RedisBacking,
    SqliteBacking,
    open_supervisor,
)
from actors.lookup import Store
from tests.world.redis import HOST, FakeRedis
from ucr.cache_backing import BACKING, ServedBacking, backing_of, numbers_of, start_cache
from ucr.config.model import Cache as CacheConfig
from ucr.logs import Log, make_log
from ucr.secret import Secret
from ucr.stress.network import MemoryNetwork

REDIS = CacheConfig(
    backend="redis",
    url=RedisAddress.of(f"redis://{HOST}"),
    secret=Secret("a shared secret, which is long enough"),
)
KEY = b"k" * 32


class Lines:
    """A log that can be waited for."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self._changed = trio.Event()
        self.log: Log = make_log("info", (), (self._write,), lambda: datetime(2026, 1, 1, tzinfo=UTC))

    def _write(self, line: bytes) -> None:
        self.lines.append(json.loads(line))
        self._changed.set()
        self._changed = trio.Event()

    async def wait(self, count: int) -> None:
        with trio.fail_after(20):
            while len(self.lines) < count:
                await self._changed.wait()


def made(config: CacheConfig, network: MemoryNetwork, lines: Lines) -> ServedBacking | None:
    return backing_of(config, b"", network, trio.current_time, lines.log)


@asynccontextmanager
async def caches(redis: FakeRedis, lines: Lines, count: int = 2) -> AsyncIterator[list[Cache]]:
    """Run the caches of several machines before one server."""
    network = MemoryNetwork()
    async with trio.open_nursery() as nursery, open_supervisor() as one, open_supervisor() as two:
        await nursery.start(redis.listen, network)
        yield [
            await start_cache(supervisor, CacheSpec(), "cache", made(REDIS, network, lines))
            for supervisor in (one, two)[:count]
        ]
        nursery.cancel_scope.cancel(reason="the test has ended")


async def fill(cache: Cache, entry: bytes) -> None:
    found = await cache.ref.ask(Lookup(KEY))
    assert isinstance(found, Fill)
    cache.ref.tell(Store(found.ticket, entry, ("model:m",)))
    await trio.sleep(0.1)


async def test_nothing_stands_behind_a_cache_unless_it_is_configured(autojump_clock: trio.abc.Clock) -> None:
    assert made(CacheConfig(), MemoryNetwork(), Lines()) is None
    assert made(replace(REDIS, enabled=False), MemoryNetwork(), Lines()) is None


async def test_the_configuration_says_what_it_is_and_its_bounds(
    tmp_path: Path, autojump_clock: trio.abc.Clock
) -> None:
    redis = made(replace(REDIS, max_bytes=1000), MemoryNetwork(), Lines())
    assert isinstance(redis, RedisBacking)
    assert (redis.spec.address, redis.spec.max_entry_bytes) == (REDIS.url, 1000)
    assert b"shared" not in redis.spec.secret
    file = made(CacheConfig(path=str(tmp_path / "a"), max_entries=7, max_bytes=1000), MemoryNetwork(), Lines())
    assert isinstance(file, SqliteBacking)
    assert (file.spec.path, file.spec.max_entries, file.spec.max_bytes) == (tmp_path / "a", 7, 1000)


async def test_an_answer_of_one_machine_is_a_hit_on_another(autojump_clock: trio.abc.Clock) -> None:
    lines = Lines()
    async with caches(FakeRedis(), lines) as (one, two):
        await wait_all_tasks_blocked()
        await fill(one, b"answer")
        found = await two.ref.ask(Lookup(KEY))
        assert isinstance(found, Hit)
        assert found.entry == b"answer"
        assert numbers_of(two)["backing"]["hits"] == 1
        assert BACKING not in repr(numbers_of(two))
    assert [line["event"] for line in lines.lines] == ["cache.connected", "cache.connected"]


async def test_what_one_machine_clears_all_forget_within_a_second(autojump_clock: trio.abc.Clock) -> None:
    from actors import Clear

    async with caches(FakeRedis(), Lines()) as (one, two):
        await wait_all_tasks_blocked()
        await fill(one, b"answer")
        assert isinstance(await two.ref.ask(Lookup(KEY)), Hit)
        assert await one.ref.ask(Clear("model:m")) == 1
        await trio.sleep(1.1)
        assert two.statistics().entries == 0
        assert isinstance(await two.ref.ask(Lookup(KEY)), Fill)


async def test_a_server_that_is_lost_is_told_and_a_miss(autojump_clock: trio.abc.Clock) -> None:
    lines, redis = Lines(), FakeRedis()
    async with caches(redis, lines, 1) as (one,):
        await wait_all_tasks_blocked()
        redis.is_stopped = True
        for number in range(4):
            assert isinstance(await one.ref.ask(Lookup(bytes([number]) * 32)), Fill)
    assert [line["event"] for line in lines.lines] == ["cache.connected", "cache.lost"]
    assert lines.lines[1]["error"] == "it does not answer in time"


async def test_a_cache_without_a_backing_has_no_numbers_of_it(autojump_clock: trio.abc.Clock) -> None:
    assert numbers_of(Cache(CacheSpec())) == {}


async def test_what_happens_to_the_file_is_told(tmp_path: Path) -> None:
    lines, path = Lines(), tmp_path / "answers"
    path.write_bytes(b"nonsense" * 1000)
    backing = made(CacheConfig(path=str(path)), MemoryNetwork(), lines)
    assert isinstance(backing, SqliteBacking)
    async with open_supervisor() as supervisor:
        await supervisor.start(backing)
        await lines.wait(2)
    assert [line["event"] for line in lines.lines] == ["cache.damaged", "cache.opened"]
    (tmp_path / "folder").mkdir()
    backing = made(CacheConfig(path=str(tmp_path / "folder")), MemoryNetwork(), lines)
    assert isinstance(backing, SqliteBacking)
    async with open_supervisor() as supervisor:
        await supervisor.start(backing)
        await lines.wait(3)
    assert lines.lines[2]["event"] == "cache.failed"
