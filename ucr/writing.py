"""Writing to a client: how long it may take nothing.

How this works: on a plain socket the system is asked directly, since it takes most answers at once and whole; only a
full buffer is waited for, and each byte that the system takes is progress. Another stream, such as one with TLS, is
given pieces, and a piece that it has taken is progress.
"""

import os

import trio

PIECE_BYTES = 65_536


def plain_socket(stream: object) -> trio.socket.SocketType | None:
    """Return the socket of a stream whose bytes are those on the wire, handed over or not."""
    below = getattr(stream, "below", stream)
    return below.socket if isinstance(below, trio.SocketStream) else None


def write_now(socket: trio.socket.SocketType, data: bytes | memoryview) -> int:
    """Write what the system takes without waiting; return how much that was. Raises `OSError`."""
    try:
        return os.write(socket.fileno(), data)
    except BlockingIOError:
        return 0


async def write(
    stream: trio.abc.SendStream, socket: trio.socket.SocketType | None, data: bytes, patience_s: float
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


async def _write_pieces(stream: trio.abc.SendStream, data: bytes, patience_s: float) -> bool:
    for start in range(0, len(data), PIECE_BYTES):
        with trio.move_on_after(patience_s) as patience:
            await stream.send_all(data[start : start + PIECE_BYTES])
        if patience.cancelled_caught:
            return False
    return True
