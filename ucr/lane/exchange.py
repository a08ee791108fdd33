"""The front lane's side of an exchange: one request on a connection, and the answer to it."""

from collections.abc import Awaitable, Callable
from functools import partial

import trio

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


class LaneExchange:
    """One request and its answer; see `ucr.exchange.Exchange`. `came` is what arrived behind the head.

    The head of an answer is held back until the first part, so that both are one write. A body that came whole with its
    head, as most do, needs no intake. `rest` is what arrived behind the body.
    """

    __slots__ = (
        "_bodies",
        "_body",
        "_date",
        "_head",
        "_held",
        "_hold",
        "_intake",
        "_line",
        "_reply",
        "_watch",
        "badge",
        "fault",
        "headers",
        "is_finished",
        "is_started",
        "method",
        "path",
        "peer",
        "query",
        "request_id",
        "rest",
        "sent_bytes",
    )

    def __init__(
        self,
        head: Head,
        came: bytes,
        line: Line,
        watch: Watch,
        bodies: Bodies,
        *,
        badge: Badge,
        forms: Forms,
        request_id: str,
        peer: str,
        date: str,
    ) -> None:
        self.badge = badge
        self.request_id = request_id
        self.method = head.method
        self.path = head.path
        self.query = head.query
        self.headers: Headers = head.headers
        self.peer = peer
        self.fault: ApiError | None = None
        self.is_started = False
        self.is_finished = False
        self.sent_bytes = 0
        self._head = head
        self._line = line
        self._watch = watch
        self._date = date
        self._reply = Reply(
            forms, method=head.method, is_http_1_0=head.is_http_1_0, keeps_alive=head.keeps_alive
        )
        self._held = b""
        self._bodies = bodies
        self._hold = Hold(bodies.budget)
        self._body = came
        self.rest = b""
        self._intake: Intake | None = None
        try:
            if head.length == len(came):
                self._hold.resize(len(came))
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

    @property
    def keeps_alive(self) -> bool:
        """Whether another request may follow on this connection."""
        return self.is_finished and self._reply.keeps_alive

    @property
    def whole(self) -> bytes | None:
        """The body, if it came whole with its head; see `ucr.exchange.Exchange.whole`."""
        return self._body if self._intake is None else None

    def close_after(self) -> None:
        """Let this be the last answer of its connection; one whose head is out says so no more."""
        self._reply.keeps_alive = False

    async def body(self, limit_bytes: int) -> bytes:
        """Read the whole body, decoded; see `ucr.exchange.Exchange.body`."""
        coding = coding_of(self.headers) if "content-encoding" in self.headers else "identity"
        if (self._head.length or 0) > limit_bytes:
            raise too_large(limit_bytes)
        if self._intake is not None:
            await self._read(self._intake, limit_bytes)
        self._watch.add(self._line)
        body, self._body = self._body, b""
        if coding == "identity":
            return body
        return await self._bodies.decode(body, coding, limit_bytes, self._hold)

    async def _read(self, intake: Intake, limit_bytes: int) -> None:
        if intake.size > limit_bytes:
            raise too_large(limit_bytes)
        if not intake.is_complete:
            self._hold.check(self._head.length or 0)
            await self._read_rest(intake, limit_bytes)
        self._body = intake.take()

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

    def let_go(self) -> None:
        """Count the body no longer among those that the worker holds."""
        if self._hold.held_bytes:
            self._hold.release()

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
        self._watch.spawn(partial(self._line.beside, act))

    def when_left(self, ask: OnLeft | None) -> None:
        """Ask this before a client that leaves ends the answer; see `ucr.exchange.Exchange.when_left`."""
        self._line.on_left = ask

    async def finish(self, last: bytes = b"") -> None:
        """End the answer. Its `last` part and its end are one write; a client that leaves before it has had no end."""
        data, self._held = self._held, b""
        if last:
            self.sent_bytes += len(last)
            if len(last) >= LONG_BYTES:
                await self._line.send(data)
                data = b""
            await self._line.send(data + self._reply.last(last))
        self.is_finished = True
        self._line.is_answered = True
        if not last and (data := data + self._reply.end()):
            await self._line.send(data)
