"""Reading from a client: on a plain socket the system is asked directly, which costs half of what the stream's own way does.

A read waits first, because a client that was just answered has not asked again yet.
"""

import os

import trio

READ_BYTES = 65_536


async def read(stream: trio.abc.ReceiveStream, socket: trio.socket.SocketType | None) -> bytes:
    """Return what comes next, b"" at the end. Raises what the stream does, and `OSError`.

    `socket` is the stream's `ucr.writing.plain_socket`.
    """
    if socket is None:
        return bytes(await stream.receive_some(READ_BYTES))
    while True:
        await trio.lowlevel.wait_readable(socket)
        try:
            return os.read(socket.fileno(), READ_BYTES)
        except BlockingIOError:
            continue
