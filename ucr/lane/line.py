"""A client's connection, as the front lane reads, writes and watches it.

How this works: one cancel scope lasts as long as the connection. Whatever ends the connection, a client that
leaves, one that does not read, a deadline or a drain, cancels that scope, and with it the answer that is being
made; so a request needs no scope of its own. While an answer is being made nobody reads, unless it takes long:
then `begin_watch` has a pump read ahead, up to a limit. Where there is none, and when the pump has seen the client
leave, a task does that: it decides what follows.

On a socket the system is asked directly: a write is first tried at once, and most often is whole, so that it
needs neither a deadline nor a turn of the scheduler; a read waits first, because a client that was just
answered has not asked again yet. Both cost about half of what the stream's own ways do.
"""

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import trio

from actors import Pump
from actors.ear import Ear
from actors.sockets import NONE, READ_BYTES, plain_socket, read
from ucr.errors import ClientGone
from ucr.exchange import OnLeft
from ucr.writing import write

AHEAD_BYTES = 65_536
"""How much is read of what follows a request that is still being answered."""
_LINGER_S = 2.0
"""How long what nobody wants is still read after the last answer (nginx: `lingering_timeout`, 5 s)."""

Act = Callable[[], Awaitable[None]]
Spawn = Callable[[Act], object]
"""Runs something beside the connection."""

_LEFT = "the client left"
_LOST = (trio.BrokenResourceError, trio.ClosedResourceError, OSError)


class Line:
    """One connection. `is_answered` says that nothing is lost when the client leaves now, `is_timed_out` that its
    client's silence ended it, `is_idle` that its client is to ask next, or goes on asking, `is_fresh` that it has asked
    nothing yet, `is_watched` that `end_watch` is to end a watch. `on_left` may let an answer go on whose client has left.
    `now` reads the clock, without a call of Python's where the clock has none. `close` it before its stream is closed.
    """

    __slots__ = (
        "_ahead",
        "_descriptor",
        "_ear",
        "_socket",
        "_stopped",
        "_watching",
        "_write_s",
        "is_answered",
        "is_fresh",
        "is_idle",
        "is_timed_out",
        "is_watched",
        "now",
        "on_left",
        "peer",
        "scope",
        "stream",
    )

    def __init__(self, stream: trio.abc.HalfCloseableStream, write_s: float, peer: str = "") -> None:
        self.stream = stream
        self.peer = peer
        self.scope = trio.CancelScope()
        self.is_answered = True
        self.is_fresh = True
        self.is_idle = False
        self.is_timed_out = False
        self.is_watched = False
        self.now: Callable[[], float] = trio.lowlevel.current_clock().current_time
        self.on_left: OnLeft | None = None
        self._socket = plain_socket(stream)
        self._descriptor = NONE if self._socket is None else self._socket.fileno()
        self._write_s = write_s
        self._ahead = bytearray()
        self._ear: Ear | None = None
        self._watching: trio.CancelScope | None = None
        self._stopped = trio.Event()

    async def receive(self) -> bytes:
        """Return what has come, or comes next; b"" when the client says no more."""
        if self._ahead:
            data = bytes(self._ahead)
            self._ahead.clear()
            return data
        try:
            if self._descriptor != NONE:
                await trio.lowlevel.wait_readable(self._descriptor)
                return os.read(self._descriptor, READ_BYTES)
        except BlockingIOError:
            pass  # woken for nothing
        except _LOST:
            return b""
        try:
            return await read(self.stream, self._socket)
        except _LOST:
            return b""

    def close(self) -> None:
        """Write nothing more: the number of the descriptor may be another connection's soon."""
        self._descriptor = NONE

    async def send(self, data: bytes) -> None:
        """Write; a client that is gone, or takes nothing for too long, loses the connection.

        No checkpoint when all is taken at once.
        """
        try:
            sent = 0 if self._descriptor == NONE else os.write(self._descriptor, data)
        except BlockingIOError:
            sent = 0
        except _LOST:
            return await self.lose(_LEFT)
        return None if sent == len(data) else await self._send_rest(memoryview(data)[sent:])

    async def _send_rest(self, data: memoryview) -> None:
        try:
            if not await write(self.stream, self._socket, data, self._write_s):
                await self.lose("the client does not read")
        except _LOST:
            await self.lose(_LEFT)

    @property
    def is_plain(self) -> bool:
        """True when the system can be asked directly."""
        return self._socket is not None

    def send_now(self, data: bytes) -> int:
        """Write what the system takes now; return how much that was. That a client is gone `send` finds out."""
        try:
            return 0 if self._descriptor == NONE else os.write(self._descriptor, data)
        except _LOST:
            return 0

    def time_out(self) -> None:
        """End the connection: its client has been silent for too long."""
        self.is_timed_out = True
        self.scope.cancel(reason="the client has been silent for too long")

    async def beside(self, act: Act) -> None:
        """Do something beside the answer; when it fails, the answer is broken and the connection ends."""
        try:
            await act()
        except BaseException:
            self.scope.cancel(reason="what was done beside the answer has failed")
            raise

    async def lose(self, reason: str) -> None:
        """Give the connection up: the caller is cancelled here, or gets `ClientGone` where the answer goes on."""
        if self._goes_on(reason):
            raise ClientGone(reason)
        self.scope.cancel(reason=reason)
        await trio.lowlevel.checkpoint()

    def _goes_on(self, reason: str) -> bool:
        return self.on_left is not None and self.on_left(lambda: self.scope.cancel(reason=reason))

    def begin_watch(self, pump: Pump, spawn: Spawn) -> None:
        """Watch the client until `end_watch`; what is spawned must be run by somebody else than the connection's task."""
        self.is_watched = True
        if self._descriptor != NONE and pump.is_usable:
            self._ear = Ear(pump, self._descriptor, self._hear, partial(self._read_on, spawn))
        else:
            self._read_on(spawn)

    def _hear(self, data: bytes, _now: float) -> bool:
        self._ahead += data
        return bool(data) and len(self._ahead) < AHEAD_BYTES

    def _read_on(self, spawn: Spawn) -> None:
        """Have a task watch the client."""
        self._ear = None
        self._watching = trio.CancelScope()
        self._stopped = trio.Event()
        spawn(partial(self._watch, self._watching))

    def stop_watch(self) -> None:
        """Begin to end the watch, which must not outlive the connection; a pump ends it at once."""
        if self._ear is not None:
            self._ear.close()
            self._ear = None
            self.is_watched = False
        elif self._watching is not None:
            self._watching.cancel(reason="answered")

    async def end_watch(self) -> None:
        """Leave the reading to the connection's own task again."""
        self.stop_watch()
        if self._watching is not None:
            await self._stopped.wait()
            self._watching = None
            self.is_watched = False

    async def _watch(self, scope: trio.CancelScope) -> None:
        try:
            with scope:
                await trio.lowlevel.checkpoint_if_cancelled()
                if await self._read_ahead() and not self.is_answered and not self._goes_on(_LEFT):
                    self.scope.cancel(reason=_LEFT)
        finally:
            self._stopped.set()

    async def _read_ahead(self) -> bool:
        """Return True when the client has left."""
        try:
            while len(self._ahead) < AHEAD_BYTES:
                data = await read(self.stream, self._socket)
                if not data:
                    return True
                self._ahead += data
        except _LOST:
            return True
        return False

    async def linger(self) -> None:
        """Close one direction and read on: with unread bytes, closing would lose the answer to a reset."""
        with suppress(*_LOST), trio.move_on_after(_LINGER_S):
            await self.stream.send_eof()
            while await read(self.stream, self._socket):
                pass
