"""An upstream behind TLS, on a port of the loopback interface."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
import trustme

from ucr.stress.upstream import Upstream


def server_context(authority: trustme.CA, name: str = "localhost") -> ssl.SSLContext:
    """Return the TLS of a server with a certificate of that authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


class TlsServer:
    """Hands to its upstream whom it could make a handshake with; how each of them went is in `resumed`."""

    def __init__(self, upstream: Upstream, context: ssl.SSLContext) -> None:
        self.upstream = upstream
        self.context = context
        self.resumed: list[bool] = []

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection to its end."""
        secure = trio.SSLStream(stream, self.context, server_side=True, https_compatible=True)
        try:
            await secure.do_handshake()
        except trio.BrokenResourceError:
            return await trio.aclose_forcefully(stream)
        self.resumed.append(bool(secure.session_reused))
        return await self.upstream.serve(secure)


@asynccontextmanager
async def open_tls_server(server: TlsServer) -> AsyncIterator[int]:
    """Serve until the block ends, and every client has left; the block gets the port."""
    async with trio.open_nursery() as nursery:
        [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, server.serve, [listener])
        yield listener.socket.getsockname()[1]
        await server.upstream.wait_closed()
        nursery.cancel_scope.cancel(reason="the test has ended")
