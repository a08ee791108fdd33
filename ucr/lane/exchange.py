"""The front lane's side of an exchange: one request on a connection, and the answer to it."""

from collections.abc import Awaitable, Callable
from functools import partial

import trio
from msgspec import Struct

from ucr.badge import Badge
from ucr.bodies import Bodies
from ucr.body import coding_of, due_s, late, too_large
from ucr.budget import Hold
from ucr.dialects.roles import HeaderList, Headers
from ucr.errors import ApiError
from ucr.exchange import OnLeft
from ucr.lane.head import Head
from ucr.lane.intake import Intake
from ucr.lane.line import Line
from ucr.lane.reply import Forms, Reply
from ucr.lane.watch import Watch

LONG_BYTES = 1024 * 1024
"""A last part from here on is not put together with the head: a client that reads slowly would have both kept."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Means(Struct, frozen=True, eq=False):
    """What all exchanges of a lane use."""

    bodies: Bodies
    watch: Watch
    forms: Forms


class LaneExchange:
    """One request and its answer; see `ucr.exchange.Exchange`. `came` is what arrived behind the head.

    The head of an answer is held back until the first part, so that both are one write. A body that came whole with its
    head, as most do, needs no intake. `rest` is what arrived behind the body, and `keeps_alive` says, at the end, whether
    another request may follow on this connection.
    """

    __slots__ = (
        "_date",
        "_head",
        "_held",
        "_hold",
        "_intake",
        "_is_noted",
        "_line",
        "_means",
        "_reply",
        "badge",
        "fault",
        "headers",
        "is_finished",
        "is_started",
        "keeps_alive",
        "method",
        "path",
        "peer",
        "query",
        "request_id",
        "rest",
        "sent_bytes",
        "whole",
    )

    def __init__(
        self,
        means: Means,
        line: Line,
        head: Head,
        badge: Badge,
        came: bytes,
        request_id: str,
        date: str,
    ) -> None:
        self.badge = badge
        self.request_id = request_id
        self.method = head.method
        self.path = head.path
        self.query = head.query
        self.headers: Headers = head.headers
        self.peer = line.peer
        self.fault: ApiError | None = None
        self.is_started = False
        self.is_finished = False
        self.sent_bytes = 0
        self._head = head
        self._line = line
        line.is_answered = False
        self._means = means
        self._date = date
        self._reply = Reply(means.forms, head.method != "HEAD", head.is_http_1_0, head.keeps_alive)
        self._held = b""
        self._hold = Hold(means.bodies.budget)
        self._is_noted = False
        self.keeps_alive = False
        self.whole: bytes | None = None
        self.rest = b""
        self._intake: Intake | None = None
        try:
            if head.length == len(came):
                self.whole = came
                self._hold.resize(head.length)
            else:
                self._intake = Intake(head.length)
                self._feed(self._intake, came)
        except ApiError as error:
            self.fault = error

    def _feed(self, intake: Intake, data: bytes) -> None:
        intake.feed(data)
        self.rest = intake.rest
        if intake.size != self._hold.held_bytes:
            self._hold.resize(intake.size)

    def close_after(self) -> None:
        """Let this be the last answer of its connection; one whose head is out says so no more."""
        self._reply.keeps_alive = False

    async def body(self, limit_bytes: int) -> bytes:
        """Read the whole body, decoded; see `ucr.exchange.Exchange.body`."""
        coding = coding_of(self.headers) if "content-encoding" in self.headers else "identity"
        if (self._head.length or 0) > limit_bytes:
            raise too_large(limit_bytes)
        body, self.whole = self.whole, None
        if body is None:
            body = b"" if self._intake is None else await self._read(self._intake, limit_bytes)
        self._means.watch.add(self._line)
        self._is_noted = True
        if coding == "identity":
            return body
        return await self._means.bodies.decode(body, coding, limit_bytes, self._hold)

    async def _read(self, intake: Intake, limit_bytes: int) -> bytes:
        if intake.size > limit_bytes:
            raise too_large(limit_bytes)
        if not intake.is_complete:
            self._hold.check(self._head.length or 0)
            await self._read_rest(intake, limit_bytes)
        return intake.take()

    async def _read_rest(self, intake: Intake, limit_bytes: int) -> None:
        if self._head.expects_continue:
            await self._line.send(_CONTINUE)
        began_s = trio.current_time()
        with trio.CancelScope() as patience:
            while not intake.is_complete:
                patience.deadline = due_s(began_s, trio.current_time(), intake.size)
                data = await self._line.receive()
                if not data:
                    await self._line.lose("the client left")
                try:
                    self._feed(intake, data)
                except ApiError as error:
                    self.fault = error
                    raise
                if intake.size > limit_bytes:
                    raise too_large(limit_bytes)
        if patience.cancelled_caught:
            raise late()

    def end(self) -> None:
        """Come to an end, however the answer has ended: nothing is held for this request any more, and no watch begins."""
        line = self._line
        self.whole = None  # of an answer that needed no look at it
        if self._hold.held_bytes:
            self._hold.release()
        if self._is_noted:
            self._means.watch.discard(line)
        line.is_answered = True
        if line.is_watched:
            line.stop_watch()
        self.keeps_alive = self.is_finished and self._reply.keeps_alive

    async def start(self, status: int, headers: HeaderList) -> None:
        """Prepare the head of the answer; it leaves with the first part."""
        if not (self._intake is None or self._intake.is_complete):
            self._reply.keeps_alive = False
        self._hold.release()
        self._held = self._reply.head(status, headers, self._date)
        self.is_started = True

    async def send(self, data: bytes) -> None:
        """Send a part of the body."""
        if data:
            self.sent_bytes += len(data)
            part = self._held + self._reply.part(data)
            self._held = b""
            if part:
                await self._line.send(part)

    @property
    def direct(self) -> "LaneExchange | None":
        """Itself, unless TLS or memory is between it and the client; see `ucr.exchange.Exchange.direct`."""
        return self if self._line.is_plain else None

    def send_now(self, data: bytes) -> bool:
        """Send a part of the body without waiting; see `ucr.exchange.Direct`."""
        self.sent_bytes += len(data)
        part = self._reply.part(data)
        if self._held:
            part, self._held = self._held + part, b""
        sent = self._line.send_now(part)
        if sent < len(part):
            self._held = part[sent:]
        return sent == len(part)

    async def drain(self) -> None:
        """Send what `send_now` has left."""
        data, self._held = self._held, b""
        if data:
            await self._line.send(data)

    def spawn(self, act: Callable[[], Awaitable[None]]) -> None:
        """Run something beside the answer. A client that is lost ends it: its connection is closed."""
        self._means.watch.spawn(partial(self._line.beside, act))

    def when_left(self, ask: OnLeft | None) -> None:
        """Ask this before a client that leaves ends the answer; see `ucr.exchange.Exchange.when_left`."""
        self._line.on_left = ask

    async def finish(self, last: bytes = b"") -> None:
        """End the answer. Its `last` part and its end are one write; a client that leaves before it has had no end."""
        data, self._held = self._held, b""
        if last:
            size_bytes = len(last)
            self.sent_bytes += size_bytes
            if size_bytes >= LONG_BYTES:
                await self._line.send(data)
                data = b""
            await self._line.send(data + self._reply.last(last))
        self.is_finished = True
        self._line.is_answered = True
        if not last and (data := data + self._reply.end()):
            await self._line.send(data)
