"""Writing to a client: how long it may take nothing.

How this works: on a plain socket the system is asked directly, since it takes most answers at once and whole; only a
full buffer is waited for, and each byte that the system takes is progress. Another stream, such as one with TLS, is
given pieces, and a piece that it has taken is progress.
"""

import trio

from actors.sockets import write_now

PIECE_BYTES = 65_536


async def write(
    stream: trio.abc.SendStream,
    socket: trio.socket.SocketType | None,
    data: bytes | memoryview,
    patience_s: float,
) -> bool:
    """Write all; return False when the client has taken nothing for so long. Raises what the stream does, and `OSError`.

    `socket` is the stream's `plain_socket`. No checkpoint when the system takes all at once.
    """
    if socket is None:
        return await _write_pieces(stream, data, patience_s)
    at, view = write_now(socket, data), memoryview(data)
    while at < len(data):
        with trio.move_on_after(patience_s) as patience:
            await trio.lowlevel.wait_writable(socket)
        if patience.cancelled_caught:
            return False
        at += write_now(socket, view[at:])
    return True


async def _write_pieces(stream: trio.abc.SendStream, data: bytes | memoryview, patience_s: float) -> bool:
    for start in range(0, len(data), PIECE_BYTES):
        with trio.move_on_after(patience_s) as patience:
            await stream.send_all(bytes(data[start : start + PIECE_BYTES]))
        if patience.cancelled_caught:
            return False
    return True
