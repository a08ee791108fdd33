"""A network in memory: listeners and connections between tasks of one Trio run, with faults on request.

Nothing here waits for real time, so that a test with the autojump clock runs the same way every time. A
connection is a `MemoryStream`; both ends behave like sockets: a closed end is the end of the stream for the
other, a reset end breaks it.
"""

import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ssl import SSLContext
from typing import Any, Protocol

import trio
from trio.testing import memory_stream_pair

from actors.tls import Tls

Half = trio.StapledStream[Any, Any]
Pair = tuple[Half, Half]


class Authority(Protocol):
    """Who signs the certificates of servers."""

    def configure_trust(self, ctx: SSLContext) -> None:
        """Make the clients of this context believe what is signed."""
        ...


@dataclass(frozen=True, slots=True)
class Refuse:
    """The connection is refused."""


@dataclass(frozen=True, slots=True)
class Hang:
    """The connection is never made."""


@dataclass(frozen=True, slots=True)
class Silent:
    """The connection is made, and nobody is at the other end."""


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection breaks when the listener's side has sent this many bytes; they still arrive."""

    after_bytes: int


@dataclass(frozen=True, slots=True)
class Unresolved:
    """The host has no address."""


Fault = Refuse | Hang | Silent | Reset | Unresolved


class LoopbackSocket:
    """What a server asks of the socket below a stream."""

    family = socket.AF_INET

    def getpeername(self) -> tuple[str, int]:
        return ("127.0.0.1", 50_000)

    def getsockname(self) -> tuple[str, int]:
        return ("127.0.0.1", 3000)


class MemoryStream(trio.abc.HalfCloseableStream):
    """One end of a connection."""

    socket = LoopbackSocket()

    def __init__(self, inner: Half) -> None:
        self._inner = inner
        self._was_reset = False
        self.peer: MemoryStream | None = None
        self.break_after: int | None = None
        self.sent_bytes = 0
        self.is_closed = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if self._was_reset:
            await trio.lowlevel.checkpoint()
            raise trio.BrokenResourceError("reset by peer")
        if self.break_after is not None and self.sent_bytes + len(data) >= self.break_after:
            kept = bytes(data)[: self.break_after - self.sent_bytes]
            self.sent_bytes = self.break_after
            if kept:
                await self._inner.send_all(kept)
            await self.reset()
            raise trio.BrokenResourceError("reset by peer")
        self.sent_bytes += len(data)
        await self._inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._inner.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        data = bytes(await self._inner.receive_some(max_bytes))
        if not data and self._was_reset:
            raise trio.BrokenResourceError("reset by peer")
        return data

    async def send_eof(self) -> None:
        await self._inner.send_eof()

    async def reset(self) -> None:
        """Break the connection: the other end reads what was sent, and then an error."""
        if self.peer is not None:
            self.peer._was_reset = True
        await self.aclose()

    async def aclose(self) -> None:
        self.close()
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """Close both directions without waiting."""
        self.is_closed = True
        self._inner.send_stream.close()
        self._inner.receive_stream.close()


def stream_pair(make_pair: Callable[[], Pair] = memory_stream_pair) -> tuple[MemoryStream, MemoryStream]:
    """Return two connected ends."""
    left, right = map(MemoryStream, make_pair())
    left.peer, right.peer = right, left
    return left, right


class MemoryListener(trio.abc.Listener[MemoryStream]):
    """Where connections to one address arrive; `trio.serve_listeners` takes it like any other."""

    def __init__(self) -> None:
        self._arrived: deque[MemoryStream] = deque()
        self._wake = trio.Event()
        self._is_closed = False

    def arrive(self, stream: MemoryStream) -> None:
        """Put a connection in the queue."""
        if self._is_closed:
            raise ConnectionRefusedError("connection refused")
        self._arrived.append(stream)
        self._wake.set()

    async def accept(self) -> MemoryStream:
        while True:
            await trio.lowlevel.checkpoint()
            if self._is_closed:
                raise trio.ClosedResourceError("the listener was closed")
            if self._arrived:
                return self._arrived.popleft()
            self._wake = trio.Event()
            await self._wake.wait()

    async def aclose(self) -> None:
        self._is_closed = True
        self._wake.set()
        while self._arrived:
            await self._arrived.popleft().aclose()
        await trio.lowlevel.checkpoint()


class MemoryResolver:
    """Knows the addresses of the hosts that were given some; a connection to an address arrives at its host."""

    def __init__(self) -> None:
        self._addresses: dict[str, tuple[str, ...]] = {}
        self._hosts: dict[str, str] = {}

    def name(self, host: str, *addresses: str) -> None:
        """Give a host these addresses from now on."""
        self._addresses[host] = addresses
        self._hosts.update(dict.fromkeys(addresses, host))

    def host_of(self, address: str) -> str:
        """Return the host that an address was given to, else what was asked for."""
        return self._hosts.get(address, address)

    async def resolve(self, host: str) -> tuple[str, ...]:
        await trio.lowlevel.checkpoint()
        if host not in self._addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self._addresses[host]


class MemoryNetwork:
    """Connects clients to listeners. It is a `Network` for a pool, and serves the clients of a server, too.

    `streams` are the clients' ends of every connection that was made, in order. Whether TLS was asked for is in
    `secured`; it is spoken only with whom an authority was named that clients trust (`secure`).

    `make_ends` makes both ends of a connection in another way, of sockets for what is done with sockets only; such
    connections cannot break after so many bytes.
    """

    def __init__(
        self,
        make_pair: Callable[[], Pair] = memory_stream_pair,
        *,
        make_ends: Callable[[], tuple[Any, Any]] | None = None,
    ) -> None:
        self._make_ends = partial(stream_pair, make_pair) if make_ends is None else make_ends
        self._listeners: dict[tuple[str, int], MemoryListener] = {}
        self._faults: dict[tuple[str, int], deque[Fault | None]] = {}
        self._lasting: dict[tuple[str, int], Fault | None] = {}
        self.streams: list[MemoryStream] = []
        self.secured: list[str | None] = []
        self.attempts = 0
        self._authorities: dict[tuple[str, int], Authority] = {}
        self.resolver = MemoryResolver()

    def secure(self, host: str, port: int, authority: Authority) -> None:
        """Make clients of an address speak TLS, and trust this authority."""
        self._authorities[host, port] = authority

    def listener(self, host: str, port: int) -> MemoryListener:
        """Begin to listen at an address, and return where its connections arrive."""
        listener = self._listeners[host, port] = MemoryListener()
        return listener

    def script(self, host: str, port: int, *faults: Fault | None) -> None:
        """Say how the next connections to an address go, one after the other; None goes well."""
        self._faults.setdefault((host, port), deque()).extend(faults)

    def afflict(self, host: str, port: int, fault: Fault | None) -> None:
        """Say how all connections to an address go from now on, when nothing else was said of them."""
        self._lasting[host, port] = fault

    def forget_closed(self) -> None:
        """Keep the connections that are open, and no others: for what lasts long."""
        self.streams = [stream for stream in self.streams if not stream.is_closed]
        self.secured.clear()

    async def connect(
        self, host: str, port: int, *, tls: Tls | None = None, server_hostname: str | None = None
    ) -> Any:
        self.attempts += 1
        host = self.resolver.host_of(host)
        await trio.lowlevel.checkpoint()
        faults = self._faults.get((host, port))
        fault = faults.popleft() if faults else self._lasting.get((host, port))
        if isinstance(fault, Hang):
            await trio.sleep_forever()
        if isinstance(fault, Unresolved):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        listener = self._listeners.get((host, port))
        if isinstance(fault, Refuse) or (listener is None and not isinstance(fault, Silent)):
            raise ConnectionRefusedError(f"{host}:{port}: connection refused")
        ours, theirs = self._make_ends()
        if isinstance(fault, Reset):
            theirs.break_after = fault.after_bytes
        if listener is not None and not isinstance(fault, Silent):
            listener.arrive(theirs)
        self.streams.append(ours)
        self.secured.append(server_hostname if tls is not None else None)
        authority = self._authorities.get((host, port))
        if tls is None or authority is None:
            return ours
        authority.configure_trust(tls.context)
        return await tls.secured(ours, server_hostname or host)
