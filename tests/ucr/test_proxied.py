"""Requests through a proxy, in both lanes: whose they are, and how many of one address there may be."""

from typing import Any

import pytest
from trio.testing import MockClock

from tests.world import answers
from tests.world.router import config_of, open_router, provider
from ucr.config.model import Config, Server

ASK: dict[str, Any] = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
ONE = {"x-forwarded-for": "192.0.2.1"}
TWO = {"x-forwarded-for": "192.0.2.2"}

pytestmark = pytest.mark.usefixtures("both_lanes")


def config(**server: Any) -> Config:
    return config_of(provider("up", "openai-chat"), server=Server(**server))


@pytest.mark.parametrize(
    ("trusted", "peer"),
    [(("127.0.0.0/8",), "192.0.2.1"), (("10.0.0.0/8",), "127.0.0.1"), ((), "127.0.0.1")],
)
async def test_the_log_names_the_client_that_a_trusted_proxy_names(
    trusted: tuple[str, ...], peer: str, autojump_clock: MockClock
) -> None:
    up = answers.says(200, answers.chat_reply())
    async with open_router(config(trusted_proxies=trusted), up=up) as world:
        assert (await world.ask("/v1/messages", ASK, headers=ONE)).status == 200
        await world.wait_finished(1)
    assert world.finished[0]["peer"] == peer


async def test_one_address_may_not_ask_for_everything_at_one_time(autojump_clock: MockClock) -> None:
    limited = config(trusted_proxies=("127.0.0.1",), max_connections_per_address=2)
    async with open_router(limited, up=answers.late(10)) as world:
        waiting = [await world.connect() for _ in range(2)]
        for visitor in waiting:
            await visitor.send("/v1/messages", ASK, headers=ONE)
        await world.upstreams["up"].wait_requests(2)
        refused = await world.ask("/v1/messages", ASK, headers=ONE)
        assert (refused.status, refused.headers["retry-after"]) == (529, "1")
        assert refused.json()["error"]["type"] == "overloaded_error"
        assert (await world.ask("/v1/messages", ASK, headers=TWO)).status == 200
        assert [(await visitor.hear()).status for visitor in waiting] == [200, 200]
        assert (await world.ask("/v1/messages", ASK, headers=ONE)).status == 200


async def test_who_invents_an_address_without_a_proxy_gets_no_place_of_its_own(
    autojump_clock: MockClock,
) -> None:
    async with open_router(config(trusted_proxies=("10.0.0.1",))) as world:
        heard = await world.ask("/admin/tree", method="GET", headers={"x-forwarded-for": "127.0.0.1"})
    assert heard.status == 403


async def test_a_proxy_opens_no_admin_route_by_naming_this_machine(autojump_clock: MockClock) -> None:
    async with open_router(config(trusted_proxies=("127.0.0.1",))) as world:
        heard = await world.ask("/admin/tree", method="GET", headers={"x-forwarded-for": "127.0.0.1"})
    assert heard.status == 403
