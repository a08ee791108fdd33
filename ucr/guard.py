"""hypercorn behind a guard: one connection's fault stays in that connection.

How this works: hypercorn 0.18 on Trio lets exceptions leave a connection's task, which ends the whole server;
it shields its writes, so that a client that stops reading holds up a shutdown for ever; and it changes to
HTTP/2 on a plain port when asked. Here each connection runs its protocol under one `except Exception`, writes
have a deadline and no shield, heads have a deadline, and only HTTP/1.1 is spoken, but for the WebSocket of the live
feed. A foreign `Upgrade` is ignored and the request answered as HTTP/1.1. hypercorn stops reading while bytes of a
next request wait for their turn, and so would not see that the client leaves: here the connection is read on
meanwhile.
"""

import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, cast

import h11
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config as HypercornConfig
from hypercorn.events import Closed, Event, RawData
from hypercorn.protocol import ProtocolWrapper
from hypercorn.protocol.events import Body, Data
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.events import Request as StreamRequest
from hypercorn.protocol.h11 import H11Protocol, H11WSConnection
from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.protocol.ws_stream import WSStream
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.tcp_server import MAX_RECV, TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGISendEvent, ConnectionState
from hypercorn.utils import parse_socket_addr

from actors.sockets import plain_socket
from ucr.admin import EVENTS_PATH
from ucr.connections import Connections, Limits, Serve
from ucr.fields import HEAD_LIMIT_BYTES
from ucr.lane.gate import POISON, Gate
from ucr.lane.head import late, malformed
from ucr.ui import dashboard
from ucr.writing import write

_LINGER_S = 2.0
"""How long a body that nobody wants is still read after its answer (nginx: `lingering_timeout`, 5 s)."""
_AHEAD_BYTES = 64 * 1024
"""How much is read of what follows a request that is still being answered."""


class _Turn:
    """The turn of a next request, in the place of hypercorn's event: to wait for it is to watch the client."""

    def __init__(self, watch: Callable[[], Awaitable[None]]) -> None:
        self._watch = watch
        self._has_come = trio.Event()

    async def clear(self) -> None:
        self._has_come = trio.Event()

    async def set(self) -> None:
        self._has_come.set()

    async def wait(self) -> None:
        """Return when the turn has come; raise `trio.BrokenResourceError` when the client has left before."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch_until_left, nursery.cancel_scope)
            await self._has_come.wait()
            nursery.cancel_scope.cancel(reason="the turn has come")
        if not self._has_come.is_set():
            raise trio.BrokenResourceError("the client left before its next request was read")

    async def _watch_until_left(self, scope: trio.CancelScope) -> None:
        await self._watch()
        scope.cancel(reason="the client left")


class _Socket(WSStream):
    """A WebSocket whose client may speak before the handshake has ended, which it must not: that waits for the end.

    hypercorn would refuse it, also where the handshake is being answered already.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._early = bytearray()

    async def handle(self, event: StreamEvent) -> None:
        is_early = isinstance(event, Body | Data) and not self.closed and not self.handshake.accepted
        if is_early and self.handshake.is_valid():
            self._early += cast(Data, event).data[: HEAD_LIMIT_BYTES - len(self._early)]
        else:
            await super().handle(event)

    async def app_send(self, message: ASGISendEvent | None) -> None:
        await super().app_send(message)
        if self._early and not self.closed and self.handshake.accepted:
            early, self._early = bytes(self._early), bytearray()
            await self.handle(Data(stream_id=self.stream_id, data=early))


_SOCKETS = frozenset({EVENTS_PATH.encode(), dashboard.EVENTS_PATH.encode()})
_KEY_CHARS = 24
"""Sixteen bytes in base64."""


class _PlainProtocol(H11Protocol):
    """HTTP/1.1 only: no h2c, no HTTP/2 by prior knowledge, no WebSocket but on the path of the live feed.

    What the front lane would refuse is refused here in its turn, after the answers to what came before.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.gate = Gate()
        self._is_socket = False

    async def handle(self, event: Event) -> None:
        if not isinstance(event, RawData) or not event.data or self._is_socket:
            await super().handle(event)
        elif self.gate.refused is None:
            if passed := self.gate.feed(event.data):
                await super().handle(RawData(passed))
            if self.gate.refused is not None:
                await super().handle(RawData(POISON))

    async def _check_protocol(self, event: h11.Request) -> None:
        return None

    async def _create_stream(self, request: h11.Request) -> None:
        self._is_socket = _opens_socket(request)
        kind = _Socket if self._is_socket else HTTPStream
        self.stream = kind(
            self.app,
            self.config,
            self.context,
            self.task_group,
            self.ssl,
            self.client,
            self.server,
            self.stream_send,
            1,
        )
        if self._is_socket:
            self.connection = H11WSConnection(cast(h11.Connection, self.connection))
        await self.stream.handle(_stream_request(request, self.connection_state))
        self.keep_alive_requests += 1

    async def _send_error_response(self, status_code: int) -> None:
        """Say what is wrong before the API sees a request, in a shape that clients of every dialect can read."""
        refused = self.gate.refused or malformed()
        fields = [("content-type", "application/json"), ("connection", "close")]
        length = ("content-length", str(len(refused.body)))
        await self._send_h11_event(h11.Response(status_code=refused.status, headers=[*fields, length]))
        await self._send_h11_event(h11.Data(data=refused.body))
        await self._send_h11_event(h11.EndOfMessage())

    async def tell_late(self) -> None:
        """Answer a head that does not come to its end."""
        self.gate.refused = late()
        await self._send_error_response(self.gate.refused.status)

    @property
    def is_reading_head(self) -> bool:
        """True while a head has begun and is not yet complete."""
        return self.gate.is_reading_head

    @property
    def is_answering(self) -> bool:
        """True while a request before that head is read or answered."""
        return self.connection.their_state is not h11.IDLE


def _opens_socket(request: h11.Request) -> bool:
    """True for the handshake of a WebSocket, as RFC 6455, 4.2.1, wants it, on the path of the live feed.

    What falls short of it is an ordinary request, and is told so in the router's words.
    """
    if request.method != b"GET" or request.target.partition(b"?")[0] not in _SOCKETS:
        return False
    named = dict(request.headers)
    tokens = named.get(b"connection", b"").lower().split(b",")
    is_upgrade = named.get(b"upgrade", b"").lower() == b"websocket" and b"upgrade" in map(bytes.strip, tokens)
    is_whole = len(named.get(b"sec-websocket-key", b"")) == _KEY_CHARS
    return is_upgrade and is_whole and named.get(b"sec-websocket-version") == b"13"


def _stream_request(request: h11.Request, state: ConnectionState) -> StreamRequest:
    return StreamRequest(
        stream_id=1,
        headers=list(request.headers),
        http_version=request.http_version.decode(),
        method=request.method.decode("ascii").upper(),
        raw_path=request.target,
        state=state,
    )


class GuardedConnection(TCPServer):
    """One connection."""

    def __init__(
        self,
        app: ASGIWrapper,
        config: HypercornConfig,
        context: WorkerContext,
        limits: Limits,
        stream: Any,
    ) -> None:
        super().__init__(app, config, context, {}, stream)
        self._limits = limits
        self._socket = plain_socket(stream)
        self._ahead = bytearray()
        self._lost = trio.Event()
        self._reading = trio.CancelScope()
        self._linger_deadline: float | None = None

    async def run(self) -> None:
        """Serve the connection to its end; the caller contains what this raises, and closes the stream."""
        socket = self.stream.socket
        client = parse_socket_addr(socket.family, socket.getpeername())
        server = parse_socket_addr(socket.family, socket.getsockname())
        async with TaskGroup() as task_group:
            self._task_group = task_group
            wrapper = ProtocolWrapper(
                self.app,
                self.config,
                self.context,
                task_group,
                ConnectionState({}),
                False,
                client,
                server,
                self.protocol_send,
                "http/1.1",
            )
            wrapper.protocol = self._protocol = _PlainProtocol(
                self.app,
                self.config,
                self.context,
                task_group,
                ConnectionState({}),
                False,
                client,
                server,
                self.protocol_send,
            )
            self._protocol.can_read = _Turn(self._watch)  # type: ignore[assignment]
            self.protocol = wrapper
            if not self.context.terminated.is_set():  # else what was handed over is answered before the end
                await self.idle_task.restart(task_group, self._idle_timeout)
            await self._read_data()
            await self.idle_task.stop()  # else the connection counts as open until it would have been idle

    async def _read_data(self) -> None:
        head_deadline = trio.current_time() + self._limits.head_s
        while True:
            is_in_head = self._protocol.is_reading_head and self._linger_deadline is None
            if not is_in_head:
                head_deadline = trio.current_time() + self._limits.head_s
            data = await self._next_bytes(head_deadline if is_in_head else math.inf)
            if data is None and is_in_head and trio.current_time() >= head_deadline:
                head_deadline = trio.current_time() + self._limits.head_s
                if not self._protocol.is_answering:
                    await self._protocol.tell_late()
                    await self._linger()
            elif data is None or not await self._handled(data):
                break
        await self.protocol.handle(Closed())
        await self._close()

    async def _next_bytes(self, deadline: float) -> bytes | None:
        """Return b"" at the end of what the client says, None when it is late or lost."""
        deadline = min(deadline, self._linger_deadline or math.inf)
        with trio.CancelScope(deadline=deadline) as self._reading:
            try:
                return self._taken_ahead() or bytes(await self.stream.receive_some(MAX_RECV))
            except (trio.ClosedResourceError, trio.BrokenResourceError):
                return None
        return None

    async def _handled(self, data: bytes) -> bool:
        """Return whether to read on."""
        try:
            if self._linger_deadline is None:
                await self.protocol.handle(RawData(data))
        except trio.BrokenResourceError:
            return self._linger_deadline is not None
        return data != b""

    async def _linger(self) -> None:
        """Close one direction and read on: the client may still be sending, and a reset would lose the answer."""
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError):
            await self.stream.send_eof()
        self._linger_deadline = self._reading.deadline = trio.current_time() + _LINGER_S
        await self.protocol.handle(Closed())

    def _taken_ahead(self) -> bytes:
        data = bytes(self._ahead)
        self._ahead.clear()
        return data

    async def _watch(self) -> None:
        """Read ahead, up to the limit, until the client has left."""
        try:
            while len(self._ahead) < _AHEAD_BYTES:
                data = await self.stream.receive_some(MAX_RECV)
                if not data:
                    return
                self._ahead += data
        except (trio.ClosedResourceError, trio.BrokenResourceError):
            return
        await self._lost.wait()

    async def protocol_send(self, event: Event) -> None:
        """Write bytes with a deadline; a client that does not take them is cut off."""
        if isinstance(event, Closed) and self._has_unread:
            return await self._linger()
        if not isinstance(event, RawData):
            return await super().protocol_send(event)
        async with self.send_lock:
            is_sent = await self._send(event.data)
        if not is_sent:
            self._lost.set()
            await self.protocol.handle(Closed())
        return None

    @property
    def _has_unread(self) -> bool:
        """Whether the client may still be sending what nobody wants."""
        is_refused = self._protocol.gate.refused is not None
        return is_refused or self._protocol.connection.their_state is h11.SEND_BODY

    async def _send(self, data: bytes) -> bool:
        try:
            is_sent = await write(self.stream, self._socket, data, self._limits.write_s)
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError, OSError):
            return False  # busy: the lock leaves no other sender, so the reader is closing the connection
        if not is_sent:
            await trio.aclose_forcefully(self.stream)
        return is_sent


def guarded_config(limits: Limits) -> HypercornConfig:
    """Return hypercorn's own settings: no `server` header, no logs of its own, one limit for heads."""
    config = HypercornConfig()
    config.include_server_header = False
    config.accesslog = None
    config.errorlog = None
    config.h11_max_incomplete_size = HEAD_LIMIT_BYTES
    config.websocket_max_message_size = HEAD_LIMIT_BYTES
    config.keep_alive_timeout = limits.keep_alive_s
    return config


class GuardedServer:
    """Serves an ASGI app on listeners until it is told to drain."""

    def __init__(self, app: Any, limits: Limits, open_connections: Callable[[Serve], Connections]) -> None:
        self._context = WorkerContext(None)
        self._connections = open_connections(self.serve_one)
        self._connection = partial(
            GuardedConnection, ASGIWrapper(app), guarded_config(limits), self._context, limits
        )

    async def serve(self, listeners: list[trio.abc.Listener[Any]]) -> None:
        """Accept until `drain` is called, then return when every connection has ended."""
        await self._connections.accept(listeners)

    async def serve_one(self, stream: Any) -> None:
        """Serve a connection, also one of another server, to its end; the caller closes the stream."""
        await self._connection(stream).run()

    async def drain(self) -> None:
        """Stop accepting; idle connections close, busy ones close after their answer."""
        self._connections.close()
        await self._context.terminated.set()
