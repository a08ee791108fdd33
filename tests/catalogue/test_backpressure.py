"""A client that reads slowly holds its provider back: what the router holds for it is bounded, however long it lasts."""

import gc
import json
import tracemalloc

import pytest
import trio
from trio.testing import lockstep_stream_pair

from tests.world.catalogue import DIALECTS, PATHS, Dialect, body_of, see_nothing_left, up
from tests.world.router import Visitor, World, config_of, open_router
from ucr.stress.failing import faults, healthy

pytestmark = pytest.mark.usefixtures("both_lanes")

KIB = 1024
BOUND_BYTES = 256 * KIB
"""What may lie between a provider and its client: a read of the one, a write to the other, and what hypercorn holds."""
GROWTH = 3
"""An event of the one dialect takes at most so many times the bytes of the same one in another."""


def sent_by_provider(world: World) -> int:
    """Return how many bytes the provider has handed over so far."""
    return sum(stream.peer.sent_bytes for stream in world.network.streams[1:] if stream.peer)


async def taken(visitor: Visitor, size: int) -> int:
    """Let the client take at least so many bytes; return how many it were."""
    count = 0
    while count < size:
        data = await visitor.stream.receive_some(4 * KIB)
        assert data
        count += len(data)
    return count


@pytest.mark.slow
@pytest.mark.parametrize("client", DIALECTS)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_what_is_read_of_the_provider_stays_close_to_what_the_client_takes(
    client: Dialect, dialect: Dialect, autojump_clock: object
) -> None:
    async with open_router(config_of(up(dialect)), lockstep_stream_pair, up=faults.talks_without_end) as world:
        visitor = await world.connect()
        await visitor.send(PATHS[client], body_of(client, stream=True))
        client_bytes, ahead = 0, []
        for _ in range(40):
            client_bytes += await taken(visitor, 64 * KIB)
            await trio.sleep(5)
            ahead.append(sent_by_provider(world) - client_bytes)
        assert max(ahead) < BOUND_BYTES
        assert client_bytes >= 2560 * KIB
        await visitor.stream.aclose()
        await see_nothing_left(world)


@pytest.mark.parametrize("client", DIALECTS)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_provider_of_many_small_events_is_held_back_as_well(
    client: Dialect, dialect: Dialect, autojump_clock: object
) -> None:
    async def chatters(request: faults.SeenRequest, answer: faults.Answer) -> None:
        again = healthy.last_event(healthy.parts(request)[0]) * 100
        await faults.endless(again)(request, answer)

    async with open_router(config_of(up(dialect)), lockstep_stream_pair, up=chatters) as world:
        visitor = await world.connect()
        await visitor.send(PATHS[client], body_of(client, stream=True))
        await taken(visitor, 64 * KIB)
        await trio.sleep(5)
        before = sent_by_provider(world)
        await trio.sleep(20)
        assert sent_by_provider(world) == before
        assert before < BOUND_BYTES
        await taken(visitor, 3 * BOUND_BYTES)
        await trio.sleep(5)
        assert before < sent_by_provider(world) < GROWTH * 3 * BOUND_BYTES + BOUND_BYTES
        await visitor.stream.aclose()
        await see_nothing_left(world)


@pytest.mark.parametrize("client", DIALECTS)
async def test_one_client_that_does_not_read_holds_back_nobody_else(
    client: Dialect, autojump_clock: object
) -> None:
    async with open_router(
        config_of(up("anthropic")), lockstep_stream_pair, up=(faults.talks_without_end, healthy.well)
    ) as world:
        visitor = await world.connect()
        await visitor.send(PATHS[client], body_of(client, stream=True))
        await trio.sleep(2)
        for _ in range(3):
            with trio.fail_after(1):
                assert (await world.ask(PATHS[client], body_of(client, stream=True))).status == 200
        await visitor.stream.aclose()
        await see_nothing_left(world)


@pytest.mark.slow
@pytest.mark.parametrize("client", DIALECTS)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_stream_that_has_begun_holds_nothing_of_its_request(
    client: Dialect, dialect: Dialect, autojump_clock: object
) -> None:
    count, words = 20, "and so on " * 20_000
    handler = faults.endless(b": still here\n\n", pause_s=60)
    async with open_router(config_of(up(dialect)), up=handler) as world:
        body = {**body_of(client, stream=True), "messages": [{"role": "user", "content": words}]}
        raw = json.dumps(body).encode()
        visitors = [await world.connect() for _ in range(count)]
        tracemalloc.start()
        try:
            for visitor in visitors:
                await visitor.send(PATHS[client], raw)
                await visitor.next()
            await trio.sleep(100)
            world.upstreams["up"].requests.clear()
            gc.collect()
            held_by_upstream = count * len(raw)
            assert tracemalloc.get_traced_memory()[0] < held_by_upstream + count * len(raw) / 2
        finally:
            tracemalloc.stop()
        for visitor in visitors:
            await visitor.stream.aclose()
