"""A worker's life: it serves, drains, and leaves nothing behind."""

from datetime import UTC, datetime

import trio
from trio.testing import lockstep_stream_pair

from tests.world import answers
from tests.world.network import MemoryNetwork
from tests.world.router import ROUTER, Visitor, config_of, open_router, provider
from tests.world.upstream import Upstream
from ucr.config.model import Server
from ucr.logs import make_log
from ucr.worker import serve

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
