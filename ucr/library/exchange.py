"""The side of an exchange whose client is in the same process."""

from collections.abc import Awaitable, Callable

import trio

from ucr import fields
from ucr.badge import Badge
from ucr.bodies import Bodies
from ucr.body import coding_of, too_large
from ucr.budget import Hold
from ucr.dialects.roles import HeaderList, Headers
from ucr.exchange import OnLeft
from ucr.library.pipe import Pipe

PEER = "127.0.0.1"
"""A caller in the same process is one on this machine."""

_LEFT = "the caller left"
Act = Callable[[], Awaitable[None]]


class LocalExchange:
    """One request and its answer; see `ucr.exchange.Exchange`.

    `run` answers it; the head of the answer is there after `wait_head`, and its body comes through `pipe`.
    """

    def __init__(
        self,
        request_id: str,
        method: str,
        path: str,
        query: str,
        pairs: fields.Fields,
        body: bytes,
        bodies: Bodies,
    ) -> None:
        self.badge = Badge()
        self.request_id = request_id
        self.method = method
        self.path = path
        self.query = query
        self.headers: Headers = fields.joined(pairs)
        self.fault = fields.fault_of(pairs)
        self.peer = PEER
        self.is_started = False
        self.is_finished = False
        self.sent_bytes = 0
        self.pipe = Pipe()
        self.status = 0
        self.answer_headers: HeaderList = ()
        self._body = body
        self._bodies = bodies
        self._hold = Hold(bodies.budget)
        self._head = trio.Event()
        self._scope = trio.CancelScope()
        self._on_left: OnLeft | None = None
        self._nursery: trio.Nursery | None = None

    async def run(self, answer: Callable[["LocalExchange"], Awaitable[None]]) -> None:
        """Let `answer` answer. What it has spawned ends with it."""
        try:
            with self._scope:
                async with trio.open_nursery() as self._nursery:
                    await answer(self)
                    self._nursery.cancel_scope.cancel(reason="answered")
        finally:
            self._hold.release()
            self.pipe.end(whole=self.is_finished)
            self._head.set()

    async def wait_head(self) -> bool:
        """Return when the head of the answer is there; False when there will be none."""
        await self._head.wait()
        return self.is_started

    def leave(self) -> None:
        """Nobody reads the answer any more: end it, unless others need it."""
        self.pipe.leave()
        if not self.is_finished and not (self._on_left is not None and self._on_left(self._cancel)):
            self._cancel()

    def _cancel(self) -> None:
        self._scope.cancel(reason=_LEFT)

    def when_left(self, ask: OnLeft | None) -> None:
        """Ask this before a caller that leaves ends the answer; see `ucr.exchange.Exchange.when_left`."""
        self._on_left = ask

    async def body(self, limit_bytes: int) -> bytes:
        """Return the whole body, decoded; see `ucr.exchange.Exchange.body`."""
        coding = coding_of(self.headers)
        body, self._body = self._body, b""
        if len(body) > limit_bytes:
            raise too_large(limit_bytes)
        self._hold.resize(len(body))
        if coding == "identity":
            return body
        return await self._bodies.decode(body, coding, limit_bytes, self._hold)

    async def start(self, status: int, headers: HeaderList) -> None:
        """Send the head of the answer."""
        self._hold.release()
        self.status = status
        self.answer_headers = tuple((name, fields.one_line(value)) for name, value in headers)
        self.is_started = True
        self._head.set()

    async def send(self, data: bytes) -> None:
        """Send a part of the body; returns when there is room for another."""
        if not self.send_now(data):
            await self.pipe.wait_room()

    @property
    def whole(self) -> None:
        """None: a body counts among those that are held when it is read; see `ucr.exchange.Exchange.whole`."""
        return None

    @property
    def direct(self) -> "LocalExchange":
        """Itself; see `ucr.exchange.Exchange.direct`."""
        return self

    def send_now(self, data: bytes) -> bool:
        """Send a part of the body without waiting; see `ucr.exchange.Direct`."""
        if data and self.method != "HEAD":
            self.sent_bytes += len(data)
            self.pipe.put(data)
        return self.pipe.has_room

    async def drain(self) -> None:
        """Return when there is room for another part."""
        await self.pipe.wait_room()

    def spawn(self, act: Act) -> None:
        """Run something beside the answer, and end it with it."""
        assert self._nursery is not None, "what is answered runs"
        self._nursery.start_soon(act)

    async def finish(self, last: bytes = b"") -> None:
        """End the answer."""
        if last:
            await self.send(last)
        self.is_finished = True
        self.pipe.end(whole=True)
