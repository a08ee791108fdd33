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


def local_pair() -> tuple[trio.SocketStream, trio.SocketStream]:
    """Return two connected ends, made without waiting: what one end sends is there for the other at once.

    They are of the family AF_UNIX, since TCP may take a moment even on loopback, and have names, as servers expect.
    """
    with socket.socket(socket.AF_UNIX) as door:
        door.bind("")
        door.listen(1)
        ours = socket.socket(socket.AF_UNIX)
        ours.bind("")
        ours.connect(door.getsockname())
        theirs, _ = door.accept()
    return trio.SocketStream(_of_trio(ours)), trio.SocketStream(_of_trio(theirs))


def _of_trio(plain: socket.socket) -> trio.socket.SocketType:
    plain.setblocking(False)
    return trio.socket.from_stdlib_socket(plain)
