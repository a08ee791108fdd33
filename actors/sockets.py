"""Reading and writing on a plain socket: the system is asked directly, which costs half of what a stream's own way does.

A read waits first, because who was just answered, or asked, has not said anything yet; a write is tried first, because
the system takes most of them at once and whole.
"""

import errno
import os

import trio

READ_BYTES = 65_536
NONE = -1
"""The descriptor of no socket: the system knows none of this number."""
NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""The numbers of errors that say that the system has no room for another connection, whoever is at its other end."""


def plain_socket(stream: object) -> trio.socket.SocketType | None:
    """Return the socket of a stream whose bytes are those on the wire, handed over or not."""
    below = getattr(stream, "below", stream)
    return below.socket if isinstance(below, trio.SocketStream) else None


async def read(stream: trio.abc.ReceiveStream, socket: trio.socket.SocketType | None) -> bytes:
    """Return what comes next, b"" at the end. Raises what the stream does, and `OSError`.

    `socket` is the stream's `plain_socket`.
    """
    if socket is None:
        return bytes(await stream.receive_some(READ_BYTES))
    while True:
        await trio.lowlevel.wait_readable(socket)
        try:
            return os.read(socket.fileno(), READ_BYTES)
        except BlockingIOError:
            continue


def write_now(socket: trio.socket.SocketType, data: bytes | memoryview) -> int:
    """Write what the system takes without waiting; return how much that was. Raises `OSError`."""
    try:
        return os.write(socket.fileno(), data)
    except BlockingIOError:
        return 0
