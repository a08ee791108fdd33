"""The ways to a provider: TLS and certificates (the failure catalogue, 23), HTTP/2, a proxy."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import trio
import trustme
from h2.events import RequestReceived

from actors import Proxy
from tests.world.catalogue import PATHS, Fine, Told, body_of, see, see_nothing_left, up
from tests.world.http2 import Http2Upstream, Peer
from tests.world.proxy import ProxyServer
from tests.world.router import World, config_of, open_router
from tests.world.tls import TlsServer, server_context
from ucr.stress.failing import healthy
from ucr.stress.upstream import Upstream

SECURE = replace(up("anthropic"), base_url="https://up.test")


@asynccontextmanager
async def served_with(world: World, trusted: trustme.CA, issuer: trustme.CA) -> AsyncIterator[TlsServer]:
    """Serve "up.test" by TLS with a certificate of the issuer, to clients that trust somebody."""
    server = TlsServer(Upstream(healthy.well), server_context(issuer, "up.test"))
    world.network.secure("up.test", 443, trusted)
    async with trio.open_nursery() as nursery:
        listener = world.network.listener("up.test", 443)
        nursery.start_soon(trio.serve_listeners, server.serve, [listener])
        yield server
        world.stop.set()
        await server.upstream.wait_closed()
        nursery.cancel_scope.cancel(reason="the test has ended")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_fault_23_a_certificate_that_is_not_trusted_is_no_way_to_a_provider(
    stream: bool, autojump_clock: object
) -> None:
    async with (
        open_router(config_of(SECURE)) as world,
        served_with(world, trustme.CA(), trustme.CA()) as server,
    ):
        heard = await world.ask(PATHS["anthropic"], body_of("anthropic", stream=stream))
        see(heard, Told(529, "overloaded_error", "certificate verify failed"), "anthropic", stream=stream)
        assert server.upstream.requests == []
        await see_nothing_left(world)


async def test_fault_23_another_provider_answers_instead(autojump_clock: object) -> None:
    config = config_of(SECURE, up("openai-chat", "second"))
    async with (
        open_router(config, second=healthy.well) as world,
        served_with(world, trustme.CA(), trustme.CA()) as server,
    ):
        heard = await world.ask(PATHS["anthropic"], body_of("anthropic", stream=False))
        see(heard, Fine(), "anthropic", stream=False)
        assert heard.headers["x-ucr-provider"] == "second"
        assert server.upstream.requests == []


async def test_a_certificate_that_is_trusted_is_a_way(autojump_clock: object) -> None:
    authority = trustme.CA()
    async with open_router(config_of(SECURE)) as world, served_with(world, authority, authority) as server:
        heard = await world.ask(PATHS["anthropic"], body_of("anthropic", stream=False))
        see(heard, Fine(), "anthropic", stream=False)
        assert len(server.upstream.requests) == 1


async def test_a_provider_is_asked_in_http2_when_the_configuration_says_so(autojump_clock: object) -> None:
    bodies: list[object] = []

    async def answer(peer: Peer, request: RequestReceived) -> None:
        bodies.append(json.loads(peer.body))
        content = [{"type": "text", "text": "in HTTP/2"}]
        usage = {"input_tokens": 1, "output_tokens": 2}
        message = {"id": "m", "type": "message", "role": "assistant", "model": "up-model", "content": content}
        reply = {**message, "stop_reason": "end_turn", "stop_sequence": None, "usage": usage}
        await peer.answer(request, json.dumps(reply).encode(), **{"content-type": "application/json"})

    upstream = Http2Upstream(answer)
    async with open_router(config_of(replace(up("anthropic"), http2=True))) as world:
        async with trio.open_nursery() as nursery:
            listener = world.network.listener("up.test", 80)
            nursery.start_soon(trio.serve_listeners, upstream.serve, [listener])
            for _ in range(2):
                heard = await world.ask(PATHS["anthropic"], body_of("anthropic", stream=False))
                assert (heard.status, heard.json()["content"][0]["text"]) == (200, "in HTTP/2")
            nursery.cancel_scope.cancel(reason="the test has ended")
        [child] = world.worker.tree.children.values()
        assert (child.pool.statistics().opened, len(bodies)) == (1, 2)


async def test_a_provider_is_asked_by_a_proxy_when_the_configuration_names_one(autojump_clock: object) -> None:
    through = replace(up("anthropic"), proxy=Proxy("http", "proxy.test", 3128, "me", "secret"))
    async with open_router(config_of(through), up=healthy.well) as world, trio.open_nursery() as nursery:
        proxy = ProxyServer("me", "secret", dial=world.network.connect)
        listener = world.network.listener("proxy.test", 3128)
        nursery.start_soon(trio.serve_listeners, proxy.serve, [listener])
        heard = await world.ask(PATHS["anthropic"], body_of("anthropic", stream=False))
        see(heard, Fine(), "anthropic", stream=False)
        assert proxy.asked == ["POST http://up.test/v1/messages HTTP/1.1"]
        nursery.cancel_scope.cancel(reason="the test has ended")
