import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import trio
import trustme
from trio.testing import MockClock

from actors.errors import PoolError
from actors.network import RealNetwork
from actors.pool import Pool
from actors.proxy import Proxy
from actors.request import Origin
from actors.tls import client_tls
from actors.tunnel import ProxiedNetwork
from tests.world.pools import HELLO, LIMITS, say_ok
from tests.world.proxy import ProxyServer, open_proxy
from tests.world.tls import TlsServer, open_tls_server, server_context
from ucr.stress.network import MemoryNetwork, Silent
from ucr.stress.upstream import Upstream


class LocalNames:
    """A resolver for which every name is this machine."""

    async def resolve(self, host: str) -> tuple[str, ...]:
        await trio.lowlevel.checkpoint()
        return ("127.0.0.1",)


async def call(pool: Pool) -> bytes:
    with await pool.start(HELLO, LIMITS) as response:
        return await response.read()


@dataclass(frozen=True)
class World:
    pool: Pool
    proxy: ProxyServer
    upstream: Upstream
    port: int


@asynccontextmanager
async def open_world(
    scheme: str, *, is_secure: bool, credentials: str = "", wanted: tuple[str, str] = ("", "")
) -> AsyncIterator[World]:
    """A pool for "api.test" whose only way there is a proxy; the proxy "https" is itself behind TLS."""
    authority = trustme.CA()
    trust = client_tls()
    authority.configure_trust(trust)
    upstream, proxy = Upstream(say_ok), ProxyServer(*wanted)
    async with trio.open_nursery() as nursery:
        [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listener.socket.getsockname()[1]
        served = TlsServer(upstream, server_context(authority, "api.test")) if is_secure else upstream
        nursery.start_soon(trio.serve_listeners, served.serve, [listener])
        front = TlsServer(proxy, server_context(authority, "proxy.test")) if scheme == "https" else proxy  # type: ignore[arg-type]
        [gate] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, front.serve, [gate])
        url = f"{scheme}://{credentials}proxy.test:{gate.socket.getsockname()[1]}"
        origin = Origin("https" if is_secure else "http", "api.test", port)
        pool = Pool(origin, RealNetwork(LocalNames()), tls=trust, proxy=Proxy.of(url))
        yield World(pool, proxy, upstream, port)
        await pool.aclose()
        nursery.cancel_scope.cancel(reason="the test has ended")


@pytest.mark.parametrize("is_secure", [True, False], ids=["TLS", "plain"])
@pytest.mark.parametrize("credentials", ["", "me:p%40ss@"], ids=["anybody", "user"])
@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h"])
async def test_a_request_goes_through_the_proxy_and_its_connection_is_kept(
    scheme: str, credentials: str, is_secure: bool
) -> None:
    wanted = ("me", "p@ss") if credentials else ("", "")
    async with open_world(scheme, is_secure=is_secure, credentials=credentials, wanted=wanted) as world:
        assert [await call(world.pool), await call(world.pool)] == [b"ok", b"ok"]
        there = f"api.test:{world.port}"
        asked = f"CONNECT {there} HTTP/1.1" if is_secure else f"POST http://{there}/v1/messages HTTP/1.1"
        assert world.proxy.asked == [f"SOCKS {there}" if scheme.startswith("socks") else asked]
        assert world.upstream.requests[0].path == "/v1/messages"
        assert world.upstream.requests[0].header("proxy-authorization") is None
        for seen in world.upstream.requests:
            assert (seen.header("host"), seen.body) == (there, HELLO.body)
        assert (world.pool.statistics().opened, world.pool.statistics().reused) == (1, 1)


@pytest.mark.parametrize(
    ("scheme", "why"),
    [
        ("http", "407 Proxy Authentication Required"),
        ("https", "407 Proxy Authentication Required"),
        ("socks5", "it does not know the user"),
    ],
)
async def test_a_proxy_that_does_not_know_the_user_is_a_failure_to_connect(scheme: str, why: str) -> None:
    async with open_world(scheme, is_secure=True, credentials="me:wrong@", wanted=("me", "right")) as world:
        with pytest.raises(PoolError, match=why) as caught:
            await call(world.pool)
        assert (caught.value.kind, caught.value.phase) == ("connect", "connect")
        assert "wrong" not in str(caught.value)
        assert world.pool.statistics().open == 0


async def test_a_socks_proxy_that_wants_a_user_and_gets_none_is_a_failure_to_connect() -> None:
    async with open_world("socks5", is_secure=True, wanted=("me", "right")) as world:
        with pytest.raises(PoolError, match="another way to sign in"):
            await call(world.pool)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "502 Bad Gateway"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "it speaks no HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\n\r\nand more", "sent something before it was asked"),
        (b"HTTP/1.1 200 OK\r\n", "it gave no answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 5000, "it gave no answer"),
    ],
    ids=["refusal", "no HTTP", "bytes left over", "cut off", "endless"],
)
async def test_a_proxy_that_makes_no_tunnel_is_a_failure_to_connect(answer: bytes, why: str) -> None:
    async with open_world("http", is_secure=True) as world:
        world.proxy.answers_connect_with = answer
        with pytest.raises(PoolError, match=why) as caught:
            await call(world.pool)
        assert (caught.value.kind, caught.value.phase) == ("connect", "connect")


async def test_the_certificate_behind_a_tunnel_is_verified() -> None:
    upstream = Upstream(say_ok)
    proxy = ProxyServer()
    server = TlsServer(upstream, server_context(trustme.CA(), "localhost"))
    async with open_tls_server(server) as port, open_proxy(proxy) as gate:
        pool = Pool(
            Origin("https", "localhost", port),
            RealNetwork(),
            tls=ssl.create_default_context(),
            proxy=Proxy.of(f"http://127.0.0.1:{gate}"),
        )
        with pytest.raises(PoolError, match=r"TLS: .*certificate verify failed"):
            await call(pool)
        assert upstream.requests == []


async def test_a_proxy_that_says_nothing_is_given_up_at_the_limit(autojump_clock: MockClock) -> None:
    network = MemoryNetwork()
    network.script("proxy.test", 3128, Silent())
    pool = Pool(Origin("https", "api.test", 443), network, proxy=Proxy.of("http://proxy.test:3128"))
    with pytest.raises(PoolError, match=r"no connection to https://api\.test within 5 s"):
        await call(pool)
    assert trio.current_time() == 5
    assert all(stream.is_closed for stream in network.streams)


def test_the_repr_shows_the_proxy_without_its_user() -> None:
    network = ProxiedNetwork(MemoryNetwork(), Proxy.of("socks5://u:p@[::1]:9"))
    assert repr(network) == "<ProxiedNetwork by socks5://[::1]:9>"
