"""The network: how a pool gets from a host and a port to a stream. Tests put another one in its place."""

import select
from functools import partial
from typing import Protocol, runtime_checkable

import trio

from actors.race import interleaved, race
from actors.resolver import CachedResolver, Resolver, SystemResolver, allowed
from actors.tls import Tls
from actors.tls_stream import TlsStream

USER_TIMEOUT_MS = 30_000
"""After this long without an acknowledgement a connection is dead (Linux, TCP_USER_TIMEOUT)."""


@runtime_checkable
class Closable(Protocol):
    """What can be closed without waiting."""

    def close(self) -> None: ...


class Network(Protocol):
    """Something that connects."""

    async def connect(
        self, host: str, port: int, *, tls: Tls | None, server_hostname: str | None
    ) -> trio.abc.Stream:
        """Return a stream to the host, with the TLS handshake done if `tls` is given.

        It can be closed without waiting: it is a socket's, or TLS over one, or it is `Closable` itself.

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

    @property
    def resolver(self) -> Resolver:
        """What knows the addresses of hosts here."""
        return self._resolver

    async def connect(
        self, host: str, port: int, *, tls: Tls | None, server_hostname: str | None
    ) -> trio.abc.Stream:
        addresses = allowed(host, await self._resolver.resolve(host))
        stream = await race(interleaved(addresses), partial(_connect_tcp, port=port))
        if tls is None:
            return stream
        return await tls.secured(stream, server_hostname or host)


async def _connect_tcp(address: str, *, port: int) -> trio.SocketStream:
    """Connect to an address, not a name: nothing is looked up again after the addresses were checked.

    Without Trio's own way of opening a stream, whose race of one costs more than all the rest of a connection's begin.
    """
    family = trio.socket.AF_INET6 if ":" in address else trio.socket.AF_INET
    socket = trio.socket.socket(family, trio.socket.SOCK_STREAM)
    try:
        await socket.connect((address, port))
        socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_KEEPALIVE, 1)
        if hasattr(trio.socket, "TCP_USER_TIMEOUT"):
            socket.setsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
        return trio.SocketStream(socket)
    except BaseException:
        socket.close()
        raise


def poll_of(stream: trio.abc.Stream) -> "select.poll | None":
    """Return what finds something when an idle stream is not quiet: a late byte, or its end.

    A stream without a socket is believed to be quiet. To be used no longer than the stream is open.
    """
    inner = below(stream)
    if not isinstance(inner, trio.SocketStream):
        return None
    poll = select.poll()
    poll.register(inner.socket.fileno(), select.POLLIN)
    return poll


def close_now(stream: trio.abc.Stream) -> None:
    """Close a stream of a network at once and without a goodbye: nothing is waited for."""
    inner = below(stream)
    if isinstance(inner, trio.SocketStream):
        inner.socket.close()
    else:
        assert isinstance(inner, Closable), f"{inner!r} cannot be closed without waiting"
        inner.close()


def below(stream: trio.abc.Stream) -> trio.abc.Stream:
    """Return the stream below TLS, through a proxy also below TLS in TLS, or the stream itself."""
    while isinstance(stream, TlsStream):
        stream = stream.transport_stream
    return stream
