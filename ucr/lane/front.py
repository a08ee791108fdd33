"""The front lane: our own HTTP/1.1 loop for the hot routes; everything else is hypercorn's.

How this works: the head of each request is read here, strictly. A request for a hot route is answered here,
from the same task that read it. With the first one for anything else the connection is handed over, with the
bytes already read, and stays with hypercorn: so a hand-over happens between two requests and never within one.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from typing import Any

import trio

from actors import Pump, Timers
from ucr.bodies import Bodies
from ucr.connections import Connections, Limits, Serve
from ucr.dialects.roles import HeaderList
from ucr.lane.exchange import LaneExchange, Means
from ucr.lane.head import Head, HeadRefused, late
from ucr.lane.heads import Heads
from ucr.lane.line import Line
from ucr.lane.quiet import Quiet
from ucr.lane.replay import ReplayStream
from ucr.lane.reply import Forms, Reply
from ucr.lane.watch import Watch

HOT = frozenset(
    {
        ("POST", "/v1/messages"),
        ("POST", "/v1/messages/count_tokens"),
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/responses"),
        ("GET", "/v1/models"),
        ("HEAD", "/"),
        ("GET", "/health"),
        ("GET", "/ready"),
    }
)
"""The routes that a client hits on every turn, as they are written; another spelling is hypercorn's."""

HOT_PREFIXES = ("/v1beta/models", "/v1/models/")
"""Below these stand the routes of Gemini's clients, whose paths name the model."""


def is_hot(head: Head) -> bool:
    """True for a request that the lane answers; a model's path whose letters are coded is hypercorn's."""
    if (head.method, head.path) in HOT:
        return True
    return head.path.startswith(HOT_PREFIXES) and "%" not in head.path


FIRST_S = 1.0
"""How long a connection may take for its first request when the lane drains."""

FAREWELL_S = 3.0
"""How long a client whose head was late may take for being told so."""

Answer = Callable[[LaneExchange], Awaitable[None]]


class Calendar:
    """Writes the date of an answer; a new one each second."""

    def __init__(self, unix_time: Callable[[], float]) -> None:
        self._unix_time = unix_time
        self._second = -1
        self._written = ""

    def date(self) -> str:
        """Return the present time as HTTP writes it."""
        second = int(self._unix_time())
        if second != self._second:
            self._second, self._written = second, formatdate(second, usegmt=True)
        return self._written


class FrontLane:
    """Serves connections; `hand_over` takes those that ask for more than the hot routes."""

    def __init__(
        self,
        answer: Answer,
        new_request_id: Callable[[], str],
        limits: Limits,
        hand_over: Serve,
        unix_time: Callable[[], float],
        bodies: Bodies,
        timers: Timers,
        pump: Pump,
    ) -> None:
        self._answer = answer
        self._timers = timers
        self._new_request_id = new_request_id
        self._limits = limits
        self._hand_over = hand_over
        self._calendar = Calendar(unix_time)
        self._lines: dict[Line, LaneExchange | None] = {}
        self._fresh: set[Line] = set()
        self._fresh_left = trio.Event()
        self._is_draining = False
        self.watch = Watch(pump)
        self._means = Means(bodies, self.watch, Forms())

    def __repr__(self) -> str:
        answering = sum(exchange is not None for exchange in self._lines.values())
        return f"<FrontLane: {answering} answering, {sum(line.is_idle for line in self._lines)} idle>"

    async def drain(self) -> None:
        """Close idle connections now, and busy ones after their answer.

        A connection that has asked nothing yet may have a request on the way, and has a moment for it; return
        when there is no such connection any more.
        """
        self._is_draining = True
        for line, exchange in self._lines.items():
            if exchange is not None:
                exchange.close_after()
            elif line.is_idle and not line.is_fresh:
                line.scope.cancel(reason="drain")
        with trio.move_on_after(FIRST_S):
            await trio.lowlevel.checkpoint()  # whoever was accepted just now is not among them before
            while self._fresh:
                await self._fresh_left.wait()
        for line in self._fresh:
            if line.is_idle:
                line.scope.cancel(reason="drain")

    async def serve(self, stream: Any) -> None:
        """Serve one connection to its end; the caller closes the stream."""
        peer = str(stream.socket.getpeername()[0])
        line, heads = Line(stream, self._limits.write_s, peer), Heads()
        try:
            with self._known(line), line.scope:
                try:
                    if await self._serve_line(line, heads):
                        await line.linger()
                except HeadRefused as refused:
                    await self._refuse(line, refused)
            if line.is_timed_out and heads.has_begun:
                with trio.move_on_after(FAREWELL_S):
                    await self._refuse(line, late())
        finally:
            line.close()

    @contextmanager
    def _known(self, line: Line) -> Iterator[None]:
        """Know of a connection in this block; it is fresh at first."""
        self._lines[line] = None
        self._fresh.add(line)
        try:
            yield
        finally:
            del self._lines[line]
            self._no_longer_fresh(line)

    async def _refuse(self, line: Line, refused: HeadRefused) -> None:
        await line.send(self._refusal(refused))
        await line.linger()

    def _no_longer_fresh(self, line: Line) -> None:
        line.is_fresh = False
        if line in self._fresh:
            self._fresh.discard(line)
            if not self._fresh:
                self._fresh_left.set()
                self._fresh_left = trio.Event()

    async def _serve_line(self, line: Line, heads: Heads) -> bool:
        """Answer request after request; False when the client, or hypercorn, ended the connection."""
        data, has_begun = b"", False
        with Quiet(line, self._timers) as quiet:
            while True:
                taken = heads.feed(data) if data else None
                if taken is None:
                    if self._is_draining and not line.is_fresh:
                        return False
                    if not has_begun:
                        has_begun = bool(data)
                        quiet.begin(self._limits.head_s if has_begun else self._limits.keep_alive_s)
                    line.is_idle = True
                    data = await line.receive()
                    line.is_idle = False
                    if not data:
                        return False
                    continue
                head, badge, came, raw = taken
                has_begun = False
                if line.is_fresh:
                    self._no_longer_fresh(line)
                if raw is not None and not is_hot(head):
                    break
                exchange = LaneExchange(
                    self._means, line, head, badge, came, self._new_request_id(), self._calendar.date()
                )
                taken, data, came = None, b"", b""  # nobody but the exchange holds what has come
                self._lines[line] = exchange
                if self._is_draining:
                    exchange.close_after()
                try:
                    await self._answer(exchange)
                finally:
                    self._lines[line] = None
                    exchange.end()
                if line.is_watched:
                    await line.end_watch()
                if not exchange.keeps_alive:
                    return True
                if data := exchange.rest:
                    await trio.lowlevel.checkpoint()  # requests that came together give the others a turn
        line.close()
        await self._hand_over(ReplayStream(raw + came, line.stream))
        return False

    def _refusal(self, refused: HeadRefused) -> bytes:
        body = refused.body
        headers: HeaderList = (("content-type", "application/json"), ("content-length", str(len(body))))
        reply = Reply(self._means.forms, has_body=True, is_http_1_0=False, keeps_alive=False)
        return reply.head(refused.status, headers, self._calendar.date()) + body


class FrontServer:
    """Serves the front lane on listeners until it is told to drain; `fallback` is drained with it."""

    def __init__(
        self,
        lane: FrontLane,
        open_connections: Callable[[Serve], Connections],
        drain_fallback: Callable[[], Awaitable[None]],
    ) -> None:
        self._lane = lane
        self._connections = open_connections(lane.serve)
        self._drain_fallback = drain_fallback

    async def serve(self, listeners: list[trio.abc.Listener[Any]]) -> None:
        """Accept until `drain` is called, then return when every connection has ended."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._lane.watch.run, self._connections.contained)
            await self._connections.accept(listeners)
            nursery.cancel_scope.cancel(reason="every connection has ended")

    async def drain(self) -> None:
        """Stop accepting; idle connections close, busy ones close after their answer."""
        self._connections.close()
        await self._lane.drain()
        await self._drain_fallback()
