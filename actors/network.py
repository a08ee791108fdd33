"""The network: how a pool gets from a host and a port to a stream. Tests put another one in its place."""

import select
import ssl
from functools import partial
from typing import Protocol

import trio

from actors.race import interleaved, race
from actors.resolver import CachedResolver, Resolver, SystemResolver, allowed

USER_TIMEOUT_MS = 30_000
"""After this long without an acknowledgement a connection is dead (Linux, TCP_USER_TIMEOUT)."""


class Network(Protocol):
    """Something that connects."""

    async def connect(
        self, host: str, port: int, *, tls: ssl.SSLContext | None, server_hostname: str | None
    ) -> trio.abc.Stream:
        """Return a stream to the host, with the TLS handshake done if `tls` is given.

        May raise `OSError`, `ssl.SSLError`, `trio.BrokenResourceError` or `PoolError`. How long it may take is
        for the caller's cancel scope to say.
        """
        ...


class RealNetwork:
    """The network of this machine: names through a cache, addresses in a race, TCP without delay."""

    def __init__(self, resolver: Resolver | None = None) -> None:
        self._resolver = resolver if resolver is not None else CachedResolver(SystemResolver())

    def __repr__(self) -> str:
        return f"<RealNetwork {self._resolver!r}>"

    async def connect(
        self, host: str, port: int, *, tls: ssl.SSLContext | None, server_hostname: str | None
    ) -> trio.abc.Stream:
        addresses = allowed(host, await self._resolver.resolve(host))
        stream = await race(interleaved(addresses), partial(_connect_tcp, port=port))
        if tls is None:
            return stream
        secure = trio.SSLStream(stream, tls, server_hostname=server_hostname or host, https_compatible=True)
        try:
            await secure.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        return secure


async def _connect_tcp(address: str, *, port: int) -> trio.SocketStream:
    """Connect to an address, not a name: nothing is looked up again after the addresses were checked."""
    stream = await trio.open_tcp_stream(address, port)
    stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_KEEPALIVE, 1)
    if hasattr(trio.socket, "TCP_USER_TIMEOUT"):
        stream.setsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
    return stream


def client_tls() -> ssl.SSLContext:
    """Return a context that verifies its peer and offers HTTP/1.1. It costs 20 ms to make: share it."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def is_quiet(stream: trio.abc.Stream) -> bool:
    """Whether nothing can be read from an idle stream: no late byte, and no end.

    A stream without a socket is believed to be quiet.
    """
    inner = stream.transport_stream if isinstance(stream, trio.SSLStream) else stream
    if not isinstance(inner, trio.SocketStream):
        return True
    poll = select.poll()
    poll.register(inner.socket.fileno(), select.POLLIN)
    return not poll.poll(0)
