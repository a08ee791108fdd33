"""The ASGI side of an exchange: what hypercorn carries, in the form that the API sees.

How this works: beside the task that answers, one task reads every ASGI message of the request. It collects
the body up to the limit, throws away what is above it, and cancels the answering task when the client leaves.
Because somebody always reads, hypercorn's bounded queue never fills up behind an early answer.
"""

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any
from urllib.parse import unquote

import trio

from ucr import fields
from ucr.badge import Badge
from ucr.bodies import Bodies
from ucr.body import coding_of, due_s, late, too_large
from ucr.budget import Hold
from ucr.dialects.roles import HeaderList, Headers
from ucr.errors import ApiError, ClientGone
from ucr.exchange import OnLeft

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Spawn = Callable[[Callable[[], Awaitable[None]]], object]
Answer = Callable[["AsgiExchange"], Awaitable[None]]
ServeSocket = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]
"""Serves a WebSocket, given its scope."""

_LEFT = "the client left"


class AsgiExchange:
    """One request and its answer; see `ucr.exchange.Exchange`."""

    def __init__(
        self,
        scope: dict[str, Any],
        send: Send,
        request_id: str,
        limit_bytes: int,
        bodies: Bodies,
        spawn: Spawn,
    ) -> None:
        self.badge = Badge()
        self.request_id = request_id
        self.method: str = scope["method"]
        self.path = unquote(scope["raw_path"].decode("ascii", "replace"))
        self.query: str = scope["query_string"].decode("ascii", "replace")
        pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        self.headers: Headers = fields.joined(pairs)
        self.fault = fields.fault_of(pairs)
        self.peer: str = scope["client"][0] if scope.get("client") else ""
        self._send = send
        self._limit_bytes = limit_bytes
        self._bodies = bodies
        self._hold = Hold(bodies.budget)
        self._refusal: ApiError | None = None
        self._spawn = spawn
        self._on_left: OnLeft | None = None
        self._body = BytesIO()  # which gives its bytes without a copy of them
        self._received_bytes = 0
        self._progress = trio.Event()
        self._is_complete = False
        self.is_started = False
        self.is_finished = False
        self.sent_bytes = 0

    @property
    def whole(self) -> None:
        """None: the body is read by waiting; see `ucr.exchange.Exchange.whole`."""
        return None

    @property
    def direct(self) -> None:
        """None: hypercorn is asked by waiting; see `ucr.exchange.Exchange.direct`."""
        return None

    async def pump(self, receive: Receive, scope: trio.CancelScope) -> None:
        """Read the request's messages until the client leaves, then cancel `scope`.

        hypercorn says that the client left also when the answer has ended, and in the midst of its own last
        steps: those close the connection, or keep it for the next request, and are not cancelled.
        """
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                if not self.is_finished and not self._goes_on(scope):
                    scope.cancel(reason=_LEFT)
                return
            self._take(message.get("body", b""))
            self._is_complete = not message.get("more_body", False)
            self._progress.set()
            self._progress = trio.Event()

    def _goes_on(self, scope: trio.CancelScope) -> bool:
        return self._on_left is not None and self._on_left(lambda: scope.cancel(reason=_LEFT))

    def when_left(self, ask: OnLeft | None) -> None:
        """Ask this before a client that leaves ends the answer; see `ucr.exchange.Exchange.when_left`."""
        self._on_left = ask

    def _take(self, data: bytes) -> None:
        """Collect, unless there is too much: of this body, of those of all requests, or for a begun answer."""
        self._received_bytes += len(data)
        if self._received_bytes > self._limit_bytes or self._refusal is not None or self.is_started:
            self._body = BytesIO()
            self.let_go()
            return
        try:
            self._hold.resize(self._received_bytes)
        except ApiError as refusal:
            self._refusal = refusal
        else:
            self._body.write(data)

    def let_go(self) -> None:
        """Count the body no longer among those that the worker holds."""
        self._hold.release()

    async def body(self, limit_bytes: int) -> bytes:
        """Read the whole body, decoded; see `ucr.exchange.Exchange.body`."""
        coding = coding_of(self.headers)
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit_bytes:
            raise too_large(limit_bytes)
        await self._read(limit_bytes)
        if self._received_bytes > limit_bytes:
            raise too_large(limit_bytes)
        body, self._body = self._body.getvalue(), BytesIO()
        if coding == "identity":
            return body
        return await self._bodies.decode(body, coding, limit_bytes, self._hold)

    async def _read(self, limit_bytes: int) -> None:
        began_s = trio.current_time()
        while not self._is_complete and self._received_bytes <= limit_bytes and self._refusal is None:
            progress = self._progress
            with trio.move_on_at(due_s(began_s, trio.current_time(), self._received_bytes)) as scope:
                await progress.wait()
            if scope.cancelled_caught:
                raise late()
        if self._refusal is not None:
            raise self._refusal

    async def start(self, status: int, headers: HeaderList) -> None:
        """Send the head of the answer."""
        self.is_started = True
        self.let_go()
        pairs = [(name.encode("latin-1"), fields.one_line(value).encode("latin-1")) for name, value in headers]
        await self._send({"type": "http.response.start", "status": status, "headers": pairs})

    async def send(self, data: bytes) -> None:
        """Send a part of the body."""
        if data:
            self.sent_bytes += len(data)
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    def spawn(self, act: Callable[[], Awaitable[None]]) -> None:
        """Run something beside the answer, and end it with it."""
        self._spawn(act)

    async def finish(self, last: bytes = b"") -> None:
        """End the answer."""
        await self.send(last)
        self.is_finished = True
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


class AsgiApp:
    """The ASGI application: makes an exchange of each request and lets `answer` answer it.

    `serve_socket` serves WebSockets, where there are any.
    """

    def __init__(
        self,
        answer: Answer,
        new_request_id: Callable[[], str],
        limit_bytes: int,
        bodies: Bodies,
        serve_socket: ServeSocket | None = None,
    ) -> None:
        self._serve_socket = serve_socket
        self._answer = answer
        self._new_request_id = new_request_id
        self._limit_bytes = limit_bytes
        self._bodies = bodies

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and self._serve_socket is not None:
            await self._serve_socket(scope, receive, send)
        if scope["type"] != "http":
            return
        async with trio.open_nursery() as nursery:
            exchange = AsgiExchange(
                scope, send, self._new_request_id(), self._limit_bytes, self._bodies, nursery.start_soon
            )
            try:
                nursery.start_soon(exchange.pump, receive, nursery.cancel_scope)
                await self._answer(exchange)
                nursery.cancel_scope.cancel(reason="answered")
            finally:
                exchange.let_go()
        if exchange.is_started and not exchange.is_finished:
            raise ClientGone("the answer was left unfinished")
