"""A listener that lets in as many as wait, also while the process is busy.

How this works. Trio's own listener gives everything else in the process a turn after each connection. While hundreds of
requests are answered a turn takes tens of milliseconds, so that of a thousand clients who come at once the last would
wait for a minute, and those who were let in first would be served again and again meanwhile. Here, when somebody still
waits after a turn, twice as many are let in as before that turn. Few clients who come together are so shared by the
processes that listen at one port, which all wake for them, instead of all being the first one's.
"""

import socket
from collections.abc import Iterator

import trio

MOST = 64
"""More are not let in between two turns: each takes some 50 µs, and begins a task."""


class Door(trio.abc.Listener[trio.SocketStream]):
    """Lets connections in at a socket that listens, which it owns from now on."""

    def __init__(self, bound: socket.socket) -> None:
        bound.setblocking(False)
        self._bound = bound
        self._at_once = 1

    def __repr__(self) -> str:
        return f"<Door, {self._at_once} at once>"

    async def accept(self) -> trio.SocketStream:
        """Wait for a connection; raise `OSError` when the system has no room for one."""
        await trio.lowlevel.checkpoint()
        stream = self._accept_nowait()
        self._at_once = 1 if stream is None else min(2 * self._at_once, MOST)
        while stream is None:
            await trio.lowlevel.wait_readable(self._bound)
            stream = self._accept_nowait()
        return stream

    def others(self) -> Iterator[trio.SocketStream]:
        """Yield those that wait and are to be let in with the one that `accept` has returned; it raises the same."""
        for _ in range(self._at_once - 1):
            stream = self._accept_nowait()
            if stream is None:
                return
            yield stream

    def _accept_nowait(self) -> trio.SocketStream | None:
        if self._bound.fileno() < 0:
            raise trio.ClosedResourceError("this listener is closed")
        try:
            accepted, _ = self._bound.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return None
        return trio.SocketStream(trio.socket.from_stdlib_socket(accepted))

    async def aclose(self) -> None:
        """Close the socket; who waits at it gets `trio.ClosedResourceError`."""
        if self._bound.fileno() >= 0:
            trio.lowlevel.notify_closing(self._bound)
            self._bound.close()
        await trio.lowlevel.checkpoint()
