"""A worker's life: it serves, drains, and leaves nothing behind."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import trio
from trio.testing import lockstep_stream_pair

from tests.world import answers
from tests.world.router import ROUTER, Visitor, World, config_of, open_router, provider
from ucr.config.model import Server
from ucr.logs import make_log
from ucr.messages import Rejected
from ucr.secret import Secret
from ucr.stress.network import MemoryNetwork
from ucr.stress.upstream import Upstream
from ucr.worker import MOST_GENERATIONS, open_worker, serve

ASK = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}


async def test_a_worker_says_when_it_starts_and_when_it_has_stopped(autojump_clock: object) -> None:
    async with open_router(config_of(provider("up", "openai-chat"))) as world:
        pass
    assert [line["event"] for line in world.lines] == ["worker.started", "worker.stopped"]


async def test_a_stopped_worker_has_closed_its_upstream_connections(autojump_clock: object) -> None:
    handler = answers.says(200, answers.chat_reply())
    async with open_router(config_of(provider("up", "openai-chat")), up=handler) as world:
        await world.ask("/v1/messages", ASK)
        assert world.upstreams["up"].open_connections == 1
        world.stop.set()
        await world.upstreams["up"].wait_closed()
    assert all(stream.is_closed for stream in world.network.streams)


async def test_a_worker_that_has_ended_follows_no_configuration(autojump_clock: object) -> None:
    """A change that came in before the end may get here after it: the actors are stopped last."""
    log = make_log("error", (), (lambda line: None,), lambda: datetime(2026, 11, 25, tzinfo=UTC))
    config = config_of(provider("up", "openai-chat"))
    async with open_worker(config, (), MemoryNetwork(lockstep_stream_pair), log) as worker:
        pass
    with pytest.raises(Rejected, match="has ended"):
        await worker.follow(replace(config, server=Server(grace_s=3.0)))
    assert worker.config is config


async def test_a_client_that_does_not_read_holds_up_the_end_by_less_than_two_seconds(
    autojump_clock: object,
) -> None:
    network, stop = MemoryNetwork(lockstep_stream_pair), trio.Event()
    upstream = Upstream(answers.streams(answers.chat_text(*["much"] * 100)))
    log = make_log("error", (), (lambda line: None,), lambda: datetime(2026, 11, 25, tzinfo=UTC))
    config = config_of(provider("up", "openai-chat"), server=Server(grace_s=3.0))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, upstream.serve, [network.listener("up.test", 80)])
        doors = [network.listener(*ROUTER)]
        async with trio.open_nursery() as serving:
            serving.start_soon(serve, config, doors, network, log, stop.wait)
            visitor = Visitor(await network.connect(*ROUTER))
            await visitor.send("/v1/messages", {**ASK, "stream": True})
            await visitor.next()
            asked_at = trio.current_time()
            stop.set()
        assert 3.0 <= trio.current_time() - asked_at <= 5.0
        nursery.cancel_scope.cancel(reason="the test has ended")


OLD = provider("old", "openai-chat")
NEW = provider("new", "openai-chat")
SLOW = answers.streams(answers.chat_text("a", "b", "c"), pause_s=40.0)
QUICK = answers.says(200, answers.chat_reply())


async def streamed(world: World) -> Visitor:
    """Return a client that has seen the first piece of a slow stream."""
    visitor = await world.connect()
    await visitor.send("/v1/messages", {**ASK, "stream": True})
    head = await visitor.next()
    assert head.status_code == 200
    await visitor.next()
    return visitor


async def test_a_running_stream_ends_whole_on_the_configuration_that_it_began_with(
    autojump_clock: object,
) -> None:
    async with open_router(config_of(OLD), old=SLOW, new=QUICK) as world:
        visitor = await streamed(world)
        await world.worker.follow(config_of(NEW))
        assert (await world.ask("/v1/messages", ASK)).headers["x-ucr-provider"] == "new"
        children = [child.name for child in world.worker.tree.supervisor.statistics()]
        assert {"old", "new"} <= set(children)
        body = b""
        while b"message_stop" not in body:
            body += bytes((await visitor.next()).data)
        await trio.sleep(1)
        assert "old" not in [child.name for child in world.worker.tree.supervisor.statistics()]
        assert world.upstreams["old"].open_connections == 0
    assert [line["provider"] for line in world.finished] == ["new", "old"]


async def test_a_request_that_has_not_asked_its_provider_yet_is_not_lost_by_its_removal(
    autojump_clock: object,
) -> None:
    full = replace(OLD, max_requests=1)
    hold = answers.streams(answers.chat_text("a", "b"), pause_s=1.0)
    async with open_router(config_of(full), old=(hold, QUICK), new=QUICK) as world:
        first = await streamed(world)
        second = await world.connect()
        await second.send("/v1/messages", ASK)
        await trio.sleep(0.1)
        await world.worker.follow(config_of(NEW))
        heard = await second.hear()
        assert (heard.status, heard.headers["x-ucr-provider"]) == (200, "old")
        await first.stream.aclose()


async def test_fifty_reloads_under_load_lose_nothing(autojump_clock: object) -> None:
    configs = [
        config_of(OLD, NEW),
        config_of(NEW),
        config_of(replace(OLD, api_keys=(Secret("k"),)), NEW),
        config_of(replace(OLD, max_requests=2), NEW),
    ]
    statuses: list[int] = []

    async def keep_asking(world: World, done: trio.Event) -> None:
        while not done.is_set():
            statuses.append((await world.ask("/v1/messages", ASK)).status)
            await trio.sleep(0.01)

    async with open_router(configs[0], old=QUICK, new=QUICK) as world, trio.open_nursery() as nursery:
        done = trio.Event()
        for _ in range(4):
            nursery.start_soon(keep_asking, world, done)
        for number in range(50):
            await world.worker.follow(configs[number % len(configs)])
            await trio.sleep(0.05)
        done.set()
    assert len(statuses) >= 50
    assert set(statuses) == {200}


async def test_too_many_former_configurations_with_running_requests_refuse_the_next(
    autojump_clock: object,
) -> None:
    async with open_router(config_of(OLD), old=SLOW) as world:
        visitors = []
        for _ in range(MOST_GENERATIONS):
            visitors.append(await streamed(world))
            await world.worker.follow(config_of(OLD))
        with pytest.raises(Rejected):
            await world.worker.follow(config_of(OLD))
        for visitor in visitors:
            await visitor.stream.aclose()
        await trio.sleep(1)
        await world.worker.follow(config_of(OLD))
        assert repr(world.worker).startswith("<Worker of discovery: <Generation ")


async def test_a_drain_can_be_hurried(autojump_clock: object) -> None:
    async with open_router(config_of(OLD, server=Server(grace_s=600.0)), old=SLOW) as world:
        visitor = await streamed(world)
        begun = trio.current_time()
        world.stop.set()
        await trio.sleep(1)
        world.worker.hurry(2)
        while b"shutting down" not in bytes((await visitor.next()).data):
            pass
        assert trio.current_time() - begun == pytest.approx(3, abs=0.1)
