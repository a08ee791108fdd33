from dataclasses import replace

import pytest

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
