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

from actors import Timers
from ucr.bodies import Bodies
from ucr.connections import Connections, Limits, Serve
from ucr.dialects.roles import HeaderList
from ucr.lane.exchange import LaneExchange
from ucr.lane.head import HeadReader, HeadRefused, late, read_head
from ucr.lane.line import Line
from ucr.lane.replay import ReplayStream
from ucr.lane.reply import Reply
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


def is_hot(path: str) -> bool:
    """True for a path that names a model; one whose letters are coded is hypercorn's."""
    return path.startswith(HOT_PREFIXES) and "%" not in path


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
    ) -> None:
        self._answer = answer
        self._timers = timers
        self._bodies = bodies
        self._new_request_id = new_request_id
        self._limits = limits
        self._hand_over = hand_over
        self._calendar = Calendar(unix_time)
        self._idle: set[Line] = set()
        self._exchanges: set[LaneExchange] = set()
        self._fresh: set[Line] = set()
        self._fresh_left = trio.Event()
        self._is_draining = False
        self.watch = Watch()

    def __repr__(self) -> str:
        return f"<FrontLane: {len(self._exchanges)} answering, {len(self._idle)} idle>"

    async def drain(self) -> None:
        """Close idle connections now, and busy ones after their answer.

        A connection that has asked nothing yet may have a request on the way, and has a moment for it; return
        when there is no such connection any more.
        """
        self._is_draining = True
        for exchange in self._exchanges:
            exchange.close_after()
        for line in self._idle - self._fresh:
            line.scope.cancel(reason="drain")
        with trio.move_on_after(FIRST_S):
            await trio.lowlevel.checkpoint()  # whoever was accepted just now is not among them before
            while self._fresh:
                await self._fresh_left.wait()
        for line in self._idle & self._fresh:
            line.scope.cancel(reason="drain")

    async def serve(self, stream: Any) -> None:
        """Serve one connection to its end; the caller closes the stream."""
        line = Line(stream, self._limits.write_s)
        with self._freshness(line), line.scope:
            try:
                if await self._serve_line(line):
                    await line.linger()
            except HeadRefused as refused:
                await self._refuse(line, refused)
        if line.is_late:
            with trio.move_on_after(FAREWELL_S):
                await self._refuse(line, late())

    async def _refuse(self, line: Line, refused: HeadRefused) -> None:
        await line.send(self._refusal(refused))
        await line.linger()

    @contextmanager
    def _freshness(self, line: Line) -> Iterator[None]:
        self._fresh.add(line)
        try:
            yield
        finally:
            self._no_longer_fresh(line)

    def _no_longer_fresh(self, line: Line) -> None:
        if line in self._fresh:
            self._fresh.discard(line)
            if not self._fresh:
                self._fresh_left.set()
                self._fresh_left = trio.Event()

    async def _serve_line(self, line: Line) -> bool:
        """Answer request after request; False when the client, or hypercorn, ended the connection."""
        peer = str(line.stream.socket.getpeername()[0])  # type: ignore[attr-defined]
        rest = b""
        while (taken := await self._next_head(line, rest)) is not None:
            raw, came = taken
            self._no_longer_fresh(line)
            head = read_head(raw)
            if (head.method, head.path) not in HOT and not is_hot(head.path):
                await self._hand_over(ReplayStream(raw + came, line.stream))
                return False
            exchange = LaneExchange(
                head,
                came,
                line,
                self.watch,
                self._bodies,
                request_id=self._new_request_id(),
                peer=peer,
                date=self._calendar.date(),
            )
            await self._answer_one(line, exchange)
            if not exchange.keeps_alive:
                return True
            rest = exchange.rest
        return False

    async def _next_head(self, line: Line, rest: bytes) -> tuple[bytes, bytes] | None:
        """Return the next head and what came behind it; None when the client says no more."""
        reader = HeadReader()
        taken = reader.feed(rest) if rest else None
        if taken is not None:
            await trio.lowlevel.checkpoint()  # requests that came together give the others a turn
            return taken
        patience_s = self._limits.head_s if rest else self._limits.keep_alive_s
        self._timers.set(line.time_out, trio.current_time() + patience_s)
        self._idle.add(line)
        try:
            if self._is_draining and line not in self._fresh:
                return None
            while taken is None:
                data = await line.receive()
                if not data:
                    return None
                is_first = not reader.has_begun
                taken = reader.feed(data)
                if taken is None and is_first:
                    self._timers.set(line.time_out, trio.current_time() + self._limits.head_s)
        finally:
            self._idle.discard(line)
            self._timers.clear(line.time_out)
            line.is_late = line.is_timed_out and reader.has_begun
        return taken

    async def _answer_one(self, line: Line, exchange: LaneExchange) -> None:
        if self._is_draining:
            exchange.close_after()
        line.is_answered = False
        self._exchanges.add(exchange)
        try:
            await self._answer(exchange)
        finally:
            self._exchanges.discard(exchange)
            exchange.let_go()
            self.watch.discard(line)
            line.is_answered = True
            line.stop_watch()
        await line.end_watch()

    def _refusal(self, refused: HeadRefused) -> bytes:
        body = refused.body
        headers: HeaderList = (("content-type", "application/json"), ("content-length", str(len(body))))
        reply = Reply(method="GET", is_http_1_0=False, keeps_alive=False)
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
