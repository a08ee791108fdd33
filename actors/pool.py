"""A pool: the connections to one origin, the idle ones as a stack.

How this works. Admission is somebody else's business, so that there is no queue here and every request costs
the same however many connections there are. The connection that became idle last is taken first; those at the
bottom of the stack grow old and are swept out when the next request comes. What looks alive may still have
been closed by the upstream, which shows only on use: then the request is sent once more on a fresh connection,
provided that not one byte of an answer has come.
"""

import ssl
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

from actors.clock import clock
from actors.connection import Connection, cause_of
from actors.errors import PoolError
from actors.http1 import Fields, Front, HeadWriter, header_block
from actors.network import Network
from actors.proxy import Proxy
from actors.reader import AnswerReader
from actors.request import Limits, OnWait, Origin, UpstreamRequest, nobody_waits
from actors.response import UpstreamResponse
from actors.sockets import NO_ROOM
from actors.tls import Tls, client_tls
from actors.tunnel import ProxiedNetwork

if TYPE_CHECKING:
    from actors.http2 import Http2Session


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """`open` counts every connection, those being made included; `stale` the requests that were sent
    twice, `failed` those that got no answer."""

    open: int
    idle: int
    max_connections: int
    opened: int
    reused: int
    stale: int
    failed: int


class Pool:
    """Connections to `origin`. An idle one is kept for `keep_alive_s`, any for `connection_life_s` seconds.

    With `http2` that is spoken where the upstream agrees to it, and always where there is no TLS to ask by. A `tls`
    that is given offers what it offers.
    """

    def __init__(
        self,
        origin: Origin,
        network: Network,
        *,
        max_connections: int = 100,
        keep_alive_s: float = 60.0,
        connection_life_s: float = 600.0,
        tls: ssl.SSLContext | None = None,
        http2: bool = False,
        proxy: Proxy | None = None,
    ) -> None:
        self.origin = origin
        self._network = network if proxy is None else ProxiedNetwork(network, proxy, tls)
        self._max_connections = max_connections
        self._keep_alive_s = keep_alive_s
        self._connection_life_s = connection_life_s
        self._tls = Tls(tls or client_tls(http2=http2)) if origin.scheme == "https" else None
        is_forwarded = proxy is not None and proxy.forwards(origin)
        self._http2 = http2 and not is_forwarded
        front = Front(
            origin.authority,
            str(origin) if is_forwarded else "",
            header_block(proxy.headers) if proxy is not None and is_forwarded else b"",
        )
        self._heads = HeadWriter(front)
        self._fields = Fields()
        self._now = clock()
        self._idle: deque[Connection] = deque()
        self._is_closed = False
        self._open = self._opened = self._reused = self._stale = self._failed = 0

    def __repr__(self) -> str:
        state = (
            "closed"
            if self._is_closed
            else f"{self._open}/{self._max_connections} open, {len(self._idle)} idle"
        )
        return f"<Pool of {self.origin}: {state}>"

    def statistics(self) -> PoolStatistics:
        return PoolStatistics(
            self._open,
            len(self._idle),
            self._max_connections,
            self._opened,
            self._reused,
            self._stale,
            self._failed,
        )

    async def start(
        self, request: UpstreamRequest, limits: Limits, on_wait: OnWait = nobody_waits
    ) -> UpstreamResponse:
        """Send a request, and return when the head of the answer is here.

        The answer holds its connection until `close`, which waits for nothing and may be called again:

            response = await pool.start(request, limits)
            try:
                body = await response.read()
            finally:
                response.close()

        or `with await pool.start(request, limits) as response:`. Nothing may be awaited between the return and
        the block. Closing before the body has ended closes the connection; a start that raises, or is cancelled,
        has closed it itself. Only `PoolError` leaves it for what an upstream does. A limit of infinity costs
        nothing: the caller keeps the time, and `on_wait` tells him what to cancel when it is over.
        """
        head = self._heads.write(request)
        connection = self._take(self._now())
        while True:
            if connection is None:
                connection = await self._connect(limits, on_wait)
            reader = connection.reader(request, limits)
            on_wait(connection, "first_byte")
            try:
                await connection.begin(head, request.body, reader, limits)
            except PoolError as error:
                self._drop(connection)
                if not self._is_stale(error, connection, reader):
                    raise
                connection = None
            except BaseException:
                self._drop(connection)
                raise
            else:
                return UpstreamResponse(self, connection, reader, limits, on_wait)

    def sweep(self) -> None:
        """Close every idle connection that is too old or that the upstream has ended: nobody may ever take it."""
        self._sweep(self._now())
        for connection in [connection for connection in self._idle if not connection.is_quiet]:
            self._idle.remove(connection)
            self._drop(connection)

    async def aclose(self) -> None:
        """Close the idle connections; those in use close when their exchange ends."""
        self._is_closed = True
        while self._idle:
            self._drop(self._idle.pop())
        await trio.lowlevel.checkpoint()

    def give_back(self, connection: Connection, reader: AnswerReader) -> None:
        """Make a connection idle, or close it when it cannot be used again. For the end of a response."""
        if self._is_closed or not connection.is_reusable(reader):
            return self._drop(connection)
        if self._tls is not None and not connection.was_reused:
            self._tls.keep_session(connection.stream)
        connection.good_until = min(
            connection.opened_at + self._connection_life_s, self._now() + self._keep_alive_s
        )
        self._idle.append(connection)
        return None

    def _is_stale(self, error: PoolError, connection: Connection, reader: AnswerReader) -> bool:
        """Count how an exchange failed; True: its connection, one that was used before, had been closed meanwhile."""
        is_stale = error.kind == "reset" and connection.was_reused and not reader.received_bytes
        self._stale += is_stale
        self._failed += not is_stale
        return is_stale

    async def _connect(self, limits: Limits, on_wait: OnWait) -> Connection:
        if self._is_closed or self._open >= self._max_connections:
            reason = "is closed" if self._is_closed else f"has {self._open} connections in use"
            raise PoolError("connect", f"the pool of {self.origin} {reason}", phase="connect")
        self._open += 1
        try:
            stream = await self._stream(limits, on_wait)
        except BaseException as error:
            self._open -= 1
            if isinstance(error, PoolError):
                self._failed += 1
            raise
        self._opened += 1
        return Connection(stream, self._now(), self._session(stream, limits), self._fields)

    def _session(self, stream: trio.abc.Stream, limits: Limits) -> "Http2Session | None":
        """Return the state of HTTP/2, which is loaded only when it is spoken."""
        if not self._http2 or (self._tls is not None and self._tls.protocol(stream) != "h2"):
            return None
        from actors.http2 import Http2Session

        return Http2Session(self.origin, limits)

    async def _stream(self, limits: Limits, on_wait: OnWait) -> trio.abc.Stream:
        host, port = self.origin.host, self.origin.port
        try:
            with trio.CancelScope(deadline=trio.current_time() + limits.connect_s) as scope:
                on_wait(scope, "connect")
                return await self._network.connect(host, port, tls=self._tls, server_hostname=host)
        except (OSError, trio.BrokenResourceError) as error:
            message = f"{self.origin} cannot be connected to: {cause_of(error)}"
            is_shortage = isinstance(error, OSError) and error.errno in NO_ROOM
            raise PoolError("connect", message, phase="connect", is_shortage=is_shortage) from error
        raise PoolError(
            "timeout", f"no connection to {self.origin} within {limits.connect_s:g} s", phase="connect"
        )

    def _take(self, now: float) -> Connection | None:
        """Take the youngest idle connection that is still good; close the younger ones that are not.

        Those at the bottom of the stack that have grown too old are closed, too.
        """
        idle = self._idle
        if idle and idle[0].good_until <= now:
            self._sweep(now)
        while idle:
            connection = idle.pop()
            if connection.good_until > now and connection.is_quiet:
                self._reused += 1
                return connection
            self._drop(connection)
        return None

    def _sweep(self, now: float) -> None:
        while self._idle and self._idle[0].good_until <= now:
            self._drop(self._idle.popleft())

    def _drop(self, connection: Connection) -> None:
        self._open -= 1
        connection.close()
