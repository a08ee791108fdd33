"""A scripted HTTP/1.1 upstream: a handler says, byte by byte if it likes, what is answered.

It serves any Trio stream, so that the same handlers run on the network in memory and on real sockets:
`trio.serve_listeners(upstream.serve, [network.listener(host, port)])` and `trio.serve_tcp(upstream.serve, 0)`.
"""

import json
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httptools
import trio

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request as it arrived. `connection` counts the connections of the upstream, from 1."""

    method: str
    path: str
    headers: Headers
    body: bytes
    connection: int

    def header(self, name: str) -> str | None:
        """Return the value of the first field with this (lower-case) name."""
        return next((value for key, value in self.headers if key == name), None)

    def json(self) -> object:
        return json.loads(self.body)


class Answer:
    """The answer to one request, as the handler writes it."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._is_chunked = False
        self.ends_connection = False

    async def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        await self._stream.send_all(data)

    async def head(self, status: int, headers: Headers = (), *, close: bool = False) -> None:
        """Send a head. Without content-length the body is chunked, or ends with the connection if `close`."""
        names = {name.lower() for name, _ in headers}
        has_body = status >= 200 and status not in {204, 304}
        self._is_chunked = has_body and not close and "content-length" not in names
        self.ends_connection |= close
        lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in headers)]
        if self._is_chunked and "transfer-encoding" not in names:
            lines.append("transfer-encoding: chunked")
        if close:
            lines.append("connection: close")
        await self.raw("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def send(self, data: bytes) -> None:
        """Send a part of the body: as a chunk if the body is chunked, else as it is."""
        await (self.chunk(data) if self._is_chunked else self.raw(data))

    async def chunk(self, data: bytes) -> None:
        await self.raw(b"%x\r\n%b\r\n" % (len(data), data))

    async def finish(self) -> None:
        """End the body properly."""
        if self._is_chunked:
            await self.raw(b"0\r\n\r\n")

    async def reply(self, status: int, body: bytes = b"", headers: Headers = ()) -> None:
        """Send a whole answer with a length."""
        await self.head(status, (*headers, ("content-length", str(len(body)))))
        if body:
            await self.raw(body)

    async def reset(self) -> None:
        """Break the connection."""
        self.ends_connection = True
        if isinstance(self._stream, trio.SocketStream):
            self._stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, struct.pack("ii", 1, 0))
            await self._stream.aclose()
        else:
            await self._stream.reset()  # type: ignore[attr-defined]

    async def close(self) -> None:
        """End the connection, whatever the body still lacks."""
        self.ends_connection = True
        await self._stream.aclose()


Handler = Callable[[SeenRequest, Answer], Awaitable[None]]


class Upstream:
    """Answers its n-th request with its n-th handler, and those after the last with the last.

    `requests` are those that were read, `aborted` those whose client left before the handler had ended. With
    `early` a handler runs as soon as the head of its request is there, and the connection ends after it.
    """

    def __init__(self, *handlers: Handler, early: bool = False) -> None:
        self._handlers = handlers
        self._early = early
        self.connections = 0
        self.open_connections = 0
        self.requests: list[SeenRequest] = []
        self.aborted: list[SeenRequest] = []
        self._changed = trio.Event()

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection to its end."""
        self.connections += 1
        self.open_connections += 1
        reader = _RequestReader(stream, self.connections)
        try:
            async with stream:
                while (request := await reader.read(head_only=self._early)) is not None:
                    if not await self._answer(request, reader, stream):
                        break
        except (trio.BrokenResourceError, trio.ClosedResourceError, httptools.HttpParserError):
            pass
        finally:
            self.open_connections -= 1
            self._notify()

    async def wait_requests(self, count: int) -> None:
        """Wait until this many requests have been read."""
        while len(self.requests) < count:
            await self._changed.wait()

    async def wait_aborted(self, count: int) -> None:
        """Wait until this many clients have left too early."""
        while len(self.aborted) < count:
            await self._changed.wait()

    async def wait_closed(self) -> None:
        """Wait until no connection is open."""
        while self.open_connections:
            await self._changed.wait()

    async def _answer(self, request: SeenRequest, reader: "_RequestReader", stream: trio.abc.Stream) -> bool:
        handler = self._handlers[min(len(self.requests), len(self._handlers) - 1)]
        self.requests.append(request)
        self._notify()
        answer = Answer(stream)
        has_ended = False
        async with trio.open_nursery() as nursery:
            if not self._early:
                nursery.start_soon(self._watch, reader, nursery.cancel_scope)
            try:
                await handler(request, answer)
                has_ended = True
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                has_ended = answer.ends_connection
            nursery.cancel_scope.cancel(reason="the handler has ended")
        if not has_ended:
            self.aborted.append(request)
            self._notify()
        return has_ended and not answer.ends_connection and not self._early

    async def _watch(self, reader: "_RequestReader", scope: trio.CancelScope) -> None:
        if not await reader.wait_gone():
            scope.cancel(reason="the client has left")

    def _notify(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


@dataclass
class _RequestReader:
    """Reads the requests of one connection."""

    stream: trio.abc.Stream
    connection: int
    _rest: bytearray = field(default_factory=bytearray)

    async def read(self, *, head_only: bool) -> SeenRequest | None:
        """Return the next request, or None at the end of the connection."""
        collector = _Collector()
        parser = httptools.HttpRequestParser(collector)
        collector.parser = parser
        while not (collector.is_complete or (head_only and collector.has_head)):
            data = bytes(self._rest) or bytes(await self.stream.receive_some(65_536))
            self._rest.clear()
            if not data:
                return None
            parser.feed_data(data)
        return SeenRequest(
            parser.get_method().decode(),
            collector.url.decode("latin-1"),
            tuple(collector.headers),
            bytes(collector.body),
            self.connection,
        )

    async def wait_gone(self) -> bool:
        """Keep what comes before its time; return False when the client has left."""
        try:
            while data := await self.stream.receive_some(65_536):
                self._rest += data
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        return False


class _Collector:
    def __init__(self) -> None:
        self.parser: object = None
        self.url = b""
        self.headers: list[tuple[str, str]] = []
        self.body = bytearray()
        self.has_head = False
        self.is_complete = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self.has_head = True

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.is_complete = True
