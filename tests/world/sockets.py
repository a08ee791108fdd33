"""Connections over the loopback interface, for what memory cannot show."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

_BUFFER_BYTES = 32_768


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[trio.SocketStream, trio.SocketStream]]:
    """Yield the server's and the client's end of a connection whose buffers are small."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        listener.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        client = await trio.open_tcp_stream(*listener.socket.getsockname())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        server = await listener.accept()
    async with server, client:
        yield server, client


def tcp_pair() -> tuple[trio.SocketStream, trio.SocketStream]:
    """Return two connected ends, made without waiting: what one end sends the other may read at once."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        ours = socket.create_connection(door.getsockname())
        theirs, _ = door.accept()
    return trio.SocketStream(_of_trio(ours)), trio.SocketStream(_of_trio(theirs))


def _of_trio(plain: socket.socket) -> trio.socket.SocketType:
    plain.setblocking(False)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return trio.socket.from_stdlib_socket(plain)
