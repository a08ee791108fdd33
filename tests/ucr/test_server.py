from dataclasses import replace

import pytest
import trio

from tests.world.router import config_of, open_router, provider
from ucr.config.model import Server
from ucr.guard import GuardedServer
from ucr.lane.front import FrontServer
from ucr.server import server_of


@pytest.mark.parametrize(("front_lane", "kind"), [(True, FrontServer), (False, GuardedServer)])
async def test_the_front_lane_can_be_turned_off(front_lane: bool, kind: type, autojump_clock: object) -> None:
    config = config_of(provider("up", "openai-chat"), server=Server(front_lane=front_lane))
    async with open_router(config) as world:
        assert isinstance(server_of(replace(config), world.worker.api, lambda _: None), kind)
        assert (await world.ask("/health", method="GET")).status == 200


@pytest.mark.usefixtures("both_lanes")
async def test_how_many_connections_there_may_be_is_configured(autojump_clock: object) -> None:
    config = config_of(provider("up", "openai-chat"), server=Server(max_connections=2))
    async with open_router(config) as world:
        first, _second = [await world.connect() for _ in range(2)]
        await trio.testing.wait_all_tasks_blocked()
        assert (await world.ask("/health", method="GET")).status == 529
        await first.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert (await world.ask("/health", method="GET")).status == 200
