import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trustme
from trio.testing import memory_stream_pair

from actors.errors import PoolError
from actors.network import RealNetwork
from actors.pool import Pool
from actors.request import Limits, Origin, UpstreamRequest
from actors.tls import Tls, client_tls
from tests.world.pools import HELLO, LIMITS, say_ok
from tests.world.tls import TlsServer, open_tls_server, server_context
from ucr.stress.upstream import Upstream

BIG = UpstreamRequest("POST", "/v1/messages", (), b"x" * 1_000_000)


@asynccontextmanager
async def open_pool(server: TlsServer, trust: trustme.CA) -> AsyncIterator[Pool]:
    context = client_tls()
    trust.configure_trust(context)
    async with open_tls_server(server) as port:
        pool = Pool(Origin("https", "localhost", port), RealNetwork(), tls=context)
        yield pool
        await pool.aclose()


async def call(pool: Pool, request: UpstreamRequest = HELLO, limits: Limits = LIMITS) -> bytes:
    with await pool.start(request, limits) as response:
        return await response.read()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
async def test_a_second_connection_goes_on_with_the_session_of_the_first(
    version: ssl.TLSVersion, authority: trustme.CA
) -> None:
    server = TlsServer(Upstream(say_ok), server_context(authority))
    server.context.minimum_version = server.context.maximum_version = version
    async with open_pool(server, authority) as pool:
        with await pool.start(HELLO, LIMITS) as first:
            await first.read()
            await call(pool)
        assert server.resumed == [False, False]
        with await pool.start(HELLO, LIMITS) as first, await pool.start(HELLO, LIMITS) as second:
            assert await call(pool) == b"ok"
            assert (await first.read(), await second.read()) == (b"ok", b"ok")
        assert server.resumed == [False, False, True]


async def test_a_server_that_has_forgotten_its_sessions_makes_a_whole_handshake(authority: trustme.CA) -> None:
    server = TlsServer(Upstream(say_ok), server_context(authority))
    async with open_pool(server, authority) as pool:
        await call(pool)
        server.context = server_context(authority)
        with await pool.start(HELLO, LIMITS) as response:
            assert await call(pool) == b"ok"
            assert await response.read() == b"ok"
        assert server.resumed == [False, False]


async def test_a_session_does_not_help_a_server_with_another_certificate(authority: trustme.CA) -> None:
    server = TlsServer(Upstream(say_ok), server_context(authority))
    async with open_pool(server, authority) as pool:
        await call(pool)
        server.context = server_context(trustme.CA())
        with await pool.start(HELLO, LIMITS) as response:
            with pytest.raises(PoolError, match=r"TLS: .*certificate verify failed") as caught:
                await call(pool)
            assert await response.read() == b"ok"
        assert (caught.value.kind, caught.value.phase) == ("connect", "connect")


async def test_a_failed_handshake_forgets_the_session_and_closes_the_stream(authority: trustme.CA) -> None:
    server = TlsServer(Upstream(say_ok), server_context(authority))
    tls = Tls(client_tls())
    authority.configure_trust(tls.context)
    async with trio.open_nursery() as nursery:
        ours, theirs = memory_stream_pair()
        nursery.start_soon(server.serve, theirs)
        secure = await tls.secured(ours, "localhost")
        await secure.send_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        await secure.receive_some(100)
        tls.keep_session(secure)
        await trio.aclose_forcefully(secure)
    assert repr(tls) == "<Tls with a session, 0 resumed>"
    ours, theirs = memory_stream_pair()
    await theirs.send_all(b"no TLS at all")
    with pytest.raises(trio.BrokenResourceError):
        await tls.secured(ours, "localhost")
    assert repr(tls) == "<Tls without a session, 0 resumed>"
    with pytest.raises(trio.ClosedResourceError):
        await ours.receive_some(1)


async def test_a_body_that_no_buffer_holds_goes_through_tls_whole(authority: trustme.CA) -> None:
    server = TlsServer(Upstream(say_ok), server_context(authority))
    async with open_pool(server, authority) as pool:
        assert await call(pool, BIG) == b"ok"
        assert await call(pool, BIG) == b"ok"
        assert [seen.body == BIG.body for seen in server.upstream.requests] == [True, True]
        assert pool.statistics().opened == 1


async def test_a_stream_without_tls_has_no_session_to_keep() -> None:
    tls = Tls(client_tls())
    tls.keep_session(memory_stream_pair()[0])
    assert repr(tls) == "<Tls without a session, 0 resumed>"


def test_the_context_verifies() -> None:
    context = client_tls()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
