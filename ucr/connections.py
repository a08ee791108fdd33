"""The connections of a listening server: how many there may be, and that a fault of one ends none of the others."""

import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import trio

from actors.sockets import NO_ROOM
from ucr.access import is_loopback
from ucr.door import Door

Report = Callable[[BaseException], None]
Serve = Callable[[Any], Awaitable[None]]
Secure = Callable[[Any], Awaitable[Any]]
IsShared = Callable[[str], bool]

_REFUSAL_BODY = (
    b'{"type":"error","error":{"type":"overloaded_error","message":"too many connections; try again"}}'
)
_REFUSAL = (
    b"HTTP/1.1 529 \r\ncontent-type: application/json\r\nretry-after: 1\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_REFUSAL_BODY), _REFUSAL_BODY)
)
_PAUSE_S = 0.1
"""How long nobody is accepted when the system has no room for another connection (trio's own pause)."""
_REPORT_EVERY_S = 10.0
_REFUSING_S = 0.5
_MOST_REFUSING = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: for a request's head, for each 64 KiB written, and for an idle connection. Counts: of all, and of
    those of one address that is not shared."""

    head_s: float = 10.0
    write_s: float = 30.0
    keep_alive_s: float = 72.0
    most: int = 1024
    most_per_address: int = 256


class NoRoom(Exception):
    """The system gives no descriptors or buffers for another connection: those that wait go on waiting."""


class Connections:
    """Accepts connections and serves each; one above the limits is told 529 and closed.

    `secure` shakes hands before anything is read. An address that `is_shared`, by all programs here or by all clients
    of a proxy, may have as many as there are. `report` gets what would otherwise have ended the process and, every
    10 s at most, that there is `NoRoom`.
    """

    def __init__(
        self,
        serve: Serve,
        limits: Limits,
        report: Report,
        is_shared: IsShared = is_loopback,
        secure: Secure | None = None,
    ) -> None:
        self._serve = serve
        self._is_shared = is_shared
        self._secure = secure
        self._limits = limits
        self._report = report
        self._addresses: Counter[str] = Counter()
        self._refusing = 0
        self._accepting = trio.CancelScope()
        self._reported_at = -math.inf

    def __repr__(self) -> str:
        return f"<Connections: {self._addresses.total()} open>"

    async def accept(self, listeners: list[trio.abc.Listener[Any]]) -> None:
        """Accept until `close` is called, then return when every connection has ended."""
        async with trio.open_nursery() as nursery:
            with self._accepting:
                async with trio.open_nursery() as doors:
                    for listener in listeners:
                        doors.start_soon(self._accept_at, listener, nursery)

    async def _accept_at(self, listener: trio.abc.Listener[Any], connections: trio.Nursery) -> None:
        # The nursery is that of `accept`: connections outlive the accepting.
        async with listener:
            while True:
                try:
                    connections.start_soon(self._serve_one, await listener.accept())
                    if isinstance(listener, Door):
                        for stream in listener.others():
                            connections.start_soon(self._serve_one, stream)
                except OSError as error:
                    if error.errno not in NO_ROOM:
                        raise
                    self._report_no_room(error)
                    await trio.sleep(_PAUSE_S)

    def _report_no_room(self, error: OSError) -> None:
        now = trio.current_time()
        if now - self._reported_at >= _REPORT_EVERY_S:
            self._reported_at = now
            self._report(NoRoom(str(error)))

    def close(self) -> None:
        """Accept no more; what is open stays open."""
        self._accepting.cancel(reason="drain")

    @contextmanager
    def _containing(self) -> Iterator[None]:
        """Report what is raised in this block for one connection: it ends none of the others."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the connection's edge
            if not is_lost_connection(error):
                self._report(error)

    async def contained(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do something for one connection; what it raises is reported, and ends none of the others."""
        with self._containing():
            await act()

    async def _serve_one(self, stream: Any) -> None:
        """Serve a connection to its end. All in one: whatever stands between a task and where it waits is passed at each waking."""
        try:
            with self._containing():
                address = stream.socket.getpeername()[0]
                if self._may_come(address):
                    with self._counted(address):
                        await self._serve(stream if self._secure is None else await self._secure(stream))
                elif self._refusing < _MOST_REFUSING:
                    await self._refuse(stream)
        finally:
            if isinstance(stream, trio.SocketStream):
                stream.socket.close()  # all that the stream's own way would do here, without its cancel scope
            else:
                await trio.aclose_forcefully(stream)

    def _may_come(self, address: str) -> bool:
        if self._addresses.total() >= self._limits.most:
            return False
        return self._addresses[address] < self._limits.most_per_address or self._is_shared(address)

    @contextmanager
    def _counted(self, address: str) -> Iterator[None]:
        self._addresses[address] += 1
        try:
            yield
        finally:
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]

    async def _refuse(self, stream: Any) -> None:
        """Say why; reading first keeps the words from being lost to a reset."""
        self._refusing += 1
        try:
            with trio.move_on_after(_REFUSING_S), suppress(trio.BrokenResourceError):
                if self._secure is not None:
                    stream = await self._secure(stream)
                await stream.receive_some(65_536)
                await stream.send_all(_REFUSAL)
                await stream.send_eof()
                await stream.receive_some(65_536)
        finally:
            self._refusing -= 1


def is_lost_connection(error: BaseException) -> bool:
    """True for what a client causes by leaving."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_lost_connection(inner) for inner in error.exceptions)
    return isinstance(error, OSError | trio.BrokenResourceError | trio.ClosedResourceError)
