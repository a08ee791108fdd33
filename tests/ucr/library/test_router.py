"""A router that is opened in somebody's own program, and how it ends."""

import asyncio
from functools import partial
from typing import Any

import anyio
import httpx
import pytest
import trio

import ucr
from tests.world import answers
from tests.world.inside import open_inside
from tests.world.router import config_of, provider
from ucr.config.model import Server
from ucr.secret import Secret

MESSAGES = "/v1/messages"
ASK: dict[str, Any] = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
ONE = config_of(provider("up", "anthropic"))
OTHER = config_of(provider("next", "anthropic"))


async def test_tables_are_enough(autojump_clock: object) -> None:
    tables = {
        "providers": [
            {
                "id": "up",
                "dialect": "anthropic",
                "base_url": "http://up.test",
                "api_key": "k-1234567",
                "allow_http": True,
            }
        ],
        "router": {"default": "up/claude"},
    }
    async with open_inside(tables, up=answers.says(200, answers.anthropic_reply())) as world:
        assert repr(world.router) == "<Router of open_router: <RouterTransport, open>>"
        async with world.router.client() as client:
            heard = await client.post(MESSAGES, json=ASK)
    assert heard.headers["x-ucr-model"] == "claude"
    assert world.upstreams["up"].requests[0].header("x-api-key") == "k-1234567"


async def test_everything_is_given_back_at_the_end(autojump_clock: object) -> None:
    async with open_inside(ONE, up=answers.says(200, answers.anthropic_reply())) as world:
        async with world.router.client() as client:
            await client.post(MESSAGES, json=ASK)
        view = await world.router.view()
        assert (view.open_requests, list(view.providers)) == (0, ["up"])
    assert all(stream.is_closed for stream in world.network.streams)
    assert [line["event"] for line in world.lines] == ["worker.started", "request.finished", "worker.stopped"]


async def test_an_error_of_the_block_leaves_as_itself_and_ends_requests_at_once(autojump_clock: object) -> None:
    handler = answers.streams(answers.anthropic_text(*["x"] * 100), pause_s=100)
    with pytest.raises(ExceptionGroup) as caught:
        async with open_inside(ONE, up=handler) as world:
            client = world.router.client()
            request = client.build_request("POST", MESSAGES, json=ASK | {"stream": True})
            await client.send(request, stream=True)
            began_s = trio.current_time()
            raise KeyError("mine")
    assert [type(error) for error in caught.value.exceptions] == [KeyError], (
        "the group is of the test's nursery"
    )
    assert trio.current_time() - began_s < 1


async def test_a_client_that_outlives_a_cancelled_block_is_told_that_the_router_is_closed(
    autojump_clock: object,
) -> None:
    with trio.CancelScope() as scope:
        async with open_inside(ONE, up=answers.never()) as world:
            client = world.router.client()
            scope.cancel()
            await trio.sleep_forever()
    with pytest.raises(httpx.ConnectError, match="the router is closed"):
        await client.post(MESSAGES, json=ASK)


async def test_open_requests_get_the_grace_time_at_the_end_of_the_block(autojump_clock: object) -> None:
    config = config_of(provider("up", "anthropic"), server=Server(grace_s=10))
    heard = []

    async def ask(client: Any) -> None:
        heard.append(await client.post(MESSAGES, json=ASK))

    async with trio.open_nursery() as nursery:
        async with open_inside(config, up=(answers.late(5), answers.never())) as world:
            client = world.router.client()
            nursery.start_soon(ask, client)
            await trio.sleep(1)
            nursery.start_soon(ask, client)
            await trio.sleep(1)
        assert 11 <= trio.current_time() <= 14
    assert len(heard) == 2
    assert heard[1].json()["error"]["message"] == "the router is shutting down; try again"


async def test_another_configuration_is_followed_under_the_requests(autojump_clock: object) -> None:
    handlers = {name: answers.says(200, answers.anthropic_reply(name)) for name in ("up", "next")}
    async with open_inside(ONE, **handlers) as world, world.router.client() as client:
        first = await client.post(MESSAGES, json=ASK)
        await world.router.follow(OTHER)
        assert world.router.config is OTHER
        second = await client.post(MESSAGES, json=ASK)
        with pytest.raises(ucr.ConfigError):
            await world.router.follow({"nothing": 1})
        third = await client.post(MESSAGES, json=ASK)
    served = [heard.headers["x-ucr-provider"] for heard in (first, second, third)]
    assert served == ["up", "next", "next"]


async def test_accounts_are_kept_where_the_program_says(tmp_path: Any, autojump_clock: object) -> None:
    says = answers.says(200, answers.anthropic_reply())
    async with open_inside(ONE, state_folder=str(tmp_path), up=says) as world, world.router.client() as client:
        await client.post(MESSAGES, json=ASK)
    assert "usage.sqlite3" in {path.name for path in tmp_path.iterdir()}


async def test_no_secret_is_in_what_is_logged(autojump_clock: object) -> None:
    secret = Secret("a-key-of-mine-12345")
    config = config_of(provider("up", "anthropic", api_keys=(secret,)), secrets=(secret,))
    says = answers.says(400, {"type": "error", "error": {"type": "x", "message": secret.reveal()}})
    async with open_inside(config, up=says) as world, world.router.client() as client:
        await client.post(f"{MESSAGES}?key={secret.reveal()}", json=ASK | {"model": secret.reveal()})
    assert world.finished
    assert secret.reveal() not in str(world.lines)


def test_a_loop_that_is_not_trio_is_told_so() -> None:
    async def main() -> None:
        async with ucr.open_router(ONE):
            pass

    with pytest.raises(RuntimeError, match="needs Trio"):
        asyncio.run(main())


def test_anyio_on_trio_is_trio() -> None:
    async def main() -> int:
        async with ucr.open_router(ONE) as router, router.client() as client:
            heard = await client.get("/health")
        return heard.status_code

    assert anyio.run(partial(main), backend="trio") == 200
