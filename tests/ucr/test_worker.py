"""A worker's life: it serves, drains, and leaves nothing behind."""

from tests.world import answers
from tests.world.router import config_of, open_router, provider


async def test_a_worker_says_when_it_starts_and_when_it_has_stopped(autojump_clock: object) -> None:
    async with open_router(config_of(provider("up", "openai-chat"))) as world:
        pass
    assert [line["event"] for line in world.lines] == ["worker.started", "worker.stopped"]


async def test_a_stopped_worker_has_closed_its_upstream_connections(autojump_clock: object) -> None:
    ask = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
    handler = answers.says(200, answers.chat_reply())
    async with open_router(config_of(provider("up", "openai-chat")), up=handler) as world:
        await world.ask("/v1/messages", ask)
        assert world.upstreams["up"].open_connections == 1
        world.stop.set()
        await world.upstreams["up"].wait_closed()
    assert all(stream.is_closed for stream in world.network.streams)
