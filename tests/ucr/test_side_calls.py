from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors import Origin, Pool, Supervisor, UpstreamRequest, open_supervisor
from tests.world import answers
from tests.world.replicate import replicate_provider
from ucr.side_calls import CAPACITY, POOLS, SEND_S, SideCalls
from ucr.stress.network import MemoryNetwork
from ucr.stress.upstream import Upstream

UP = replicate_provider("up")
ORIGIN = Origin("http", "up.test", 80)
REQUEST = UpstreamRequest("POST", "/cancel")


@asynccontextmanager
async def world(*handlers: object) -> AsyncIterator[tuple[SideCalls, Pool, Upstream, Supervisor]]:
    network = MemoryNetwork()
    upstream = Upstream(*handlers)  # type: ignore[arg-type]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, upstream.serve, [network.listener("up.test", 80)])
        async with open_supervisor(grace_s=10.0, rng=lambda: 0.0) as supervisor:
            yield SideCalls(supervisor, network), Pool(ORIGIN, network), upstream, supervisor
        nursery.cancel_scope.cancel()


async def test_what_is_offered_is_sent_by_a_child_that_starts_when_it_is_needed(autojump_clock: object) -> None:
    async with world(answers.says(200, {})) as (calls, pool, upstream, supervisor):
        assert supervisor.statistics() == ()
        await calls.ready()
        await calls.ready()
        assert [child.name for child in supervisor.statistics()] == ["ucr:side-calls"]
        assert calls.offer(pool, REQUEST)
        await upstream.wait_requests(1)
        assert upstream.requests[0].path == "/cancel"


async def test_a_shutdown_sends_what_is_left(autojump_clock: object) -> None:
    async with world(answers.late(1.0)) as (calls, pool, upstream, _):
        await calls.ready()
        for _ in range(20):
            assert calls.offer(pool, REQUEST)
    assert len(upstream.requests) == 20


@pytest.mark.parametrize("handler", [answers.says(500, {}), answers.never()])
async def test_a_refusal_and_a_silence_hold_nothing_up(handler: object, autojump_clock: object) -> None:
    async with world(handler) as (calls, pool, _, _supervisor):
        await calls.ready()
        calls.offer(pool, REQUEST)
        await trio.sleep(SEND_S + 1)
        await wait_all_tasks_blocked()
        assert repr(calls) == "<SideCalls: 0 open, 0 dropped, 0 pools>"
        assert pool.statistics().open == pool.statistics().idle


async def test_what_finds_no_room_is_dropped_and_counted(autojump_clock: object) -> None:
    async with world(answers.says(200, {})) as (calls, pool, _, _supervisor):
        assert all(calls.offer(pool, REQUEST) for _ in range(CAPACITY))
        assert not calls.offer(pool, REQUEST)
        assert calls.dropped == 1
        await calls.ready()
        await trio.sleep(1)
        assert calls.offer(pool, REQUEST)


async def test_connections_to_other_servers_are_kept_for_a_bounded_number_of_them(
    autojump_clock: object,
) -> None:
    async with world(answers.says(200, {})) as (calls, _, _upstream, _supervisor):
        await calls.ready()
        first = await calls.pool(UP, ORIGIN)
        assert await calls.pool(UP, ORIGIN) is first
        for number in range(POOLS):
            await calls.pool(UP, Origin("http", f"s{number}.up.test", 80))
        assert f"{POOLS} pools" in repr(calls)
        assert "closed" in repr(first)
        kept = await calls.pool(UP, Origin("http", "s3.up.test", 80))
    assert "closed" in repr(kept)
