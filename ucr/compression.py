"""Whole JSON answers in gzip or deflate, for clients that ask for it.

How this works: an exchange in front of another one holds back an answer that may be compressed until it is whole,
and gives it on compressed. What is short, streamed, or no JSON passes through. Without `server.compression` there
is no such exchange, and nothing of this costs anything.
"""

import gzip
import zlib
from collections.abc import Awaitable, Callable

import trio

from ucr.dialects.roles import HeaderList, Headers
from ucr.errors import ApiError
from ucr.exchange import Direct, Exchange, OnLeft
from ucr.negotiation import Coding, coding_for

LEAST_BYTES = 1024
"""What is shorter hardly shrinks, and fits into one packet anyway."""
SLOW_BYTES = 262_144
"""From this size on compressing takes several milliseconds and is done in a thread."""
_LEVEL = 5
_MOST_PACKING = 2

_VARY = ("vary", "accept-encoding")

Answer = Callable[[Exchange], Awaitable[None]]


class Compressor:
    """Lets `answer` answer exchanges whose answers it compresses."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._packing = trio.CapacityLimiter(_MOST_PACKING)

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request, compressed where its client accepts that."""
        coding = coding_for(exchange.headers.get("accept-encoding", ""))
        await self._answer(CompressingExchange(exchange, coding, self._packing))


class CompressingExchange:
    """See `ucr.exchange.Exchange`. `coding` None compresses nothing, but says what the answer depends on."""

    def __init__(self, inner: Exchange, coding: Coding | None, packing: trio.CapacityLimiter) -> None:
        self._inner = inner
        self._coding = coding
        self._packing = packing
        self._head: tuple[int, HeaderList] | None = None
        self._parts: list[bytes] = []
        self.badge = inner.badge
        self.request_id = inner.request_id
        self.method = inner.method
        self.path = inner.path
        self.query = inner.query
        self.headers: Headers = inner.headers
        self.peer = inner.peer
        self.fault: ApiError | None = inner.fault
        self.is_started = False
        self.is_finished = False

    @property
    def sent_bytes(self) -> int:
        """The answer's body as it was sent."""
        return self._inner.sent_bytes

    @sent_bytes.setter
    def sent_bytes(self, amount: int) -> None:
        self._inner.sent_bytes = amount

    @property
    def whole(self) -> bytes | None:
        """The body, if it is here; see `ucr.exchange.Exchange.whole`."""
        return self._inner.whole

    @property
    def direct(self) -> Direct | None:
        """How to send what is not kept; see `ucr.exchange.Exchange.direct`."""
        return self._inner.direct if self._head is None else None

    async def body(self, limit_bytes: int) -> bytes:
        """Read the body; see `ucr.exchange.Exchange.body`."""
        return await self._inner.body(limit_bytes)

    async def start(self, status: int, headers: HeaderList) -> None:
        """Send the head, or keep it for an answer that is to be compressed."""
        self.is_started = True
        if not may_be_compressed(headers):
            await self._inner.start(status, headers)
        elif self._coding is None:
            await self._inner.start(status, (*headers, _VARY))
        else:
            self._head = (status, headers)

    async def send(self, data: bytes) -> None:
        """Send a part of the body, or keep it."""
        if self._head is None:
            await self._inner.send(data)
        else:
            self._parts.append(data)

    def spawn(self, act: Callable[[], Awaitable[None]]) -> None:
        """Run something beside the answer; see `ucr.exchange.Exchange.spawn`."""
        self._inner.spawn(act)

    def when_left(self, ask: OnLeft | None) -> None:
        """Ask this before a client that leaves ends the answer; see `ucr.exchange.Exchange.when_left`."""
        self._inner.when_left(ask)

    async def finish(self, last: bytes = b"") -> None:
        """End the answer; one that was kept is compressed and sent now."""
        if self._head is not None and self._coding is not None:
            status, headers = self._head
            last = await self._packed(b"".join((*self._parts, last)), self._coding)
            kept = [(name, value) for name, value in headers if name != "content-length"]
            added = (("content-encoding", self._coding), ("content-length", str(len(last))), _VARY)
            await self._inner.start(status, (*kept, *added))
        try:
            await self._inner.finish(last)
        finally:
            self.is_finished = self._inner.is_finished

    async def _packed(self, body: bytes, coding: Coding) -> bytes:
        if len(body) < SLOW_BYTES:
            return packed(body, coding)
        return await trio.to_thread.run_sync(packed, body, coding, limiter=self._packing)


def packed(body: bytes, coding: Coding) -> bytes:
    """Return a body in a coding; deflate is in zlib's format, as HTTP wants it (RFC 9110, 8.4.1.2)."""
    return gzip.compress(body, _LEVEL, mtime=0) if coding == "gzip" else zlib.compress(body, _LEVEL)


def may_be_compressed(headers: HeaderList) -> bool:
    """True for a whole JSON answer of some length that is not coded yet."""
    found = dict(headers)
    is_json = found.get("content-type", "").partition(";")[0].strip() == "application/json"
    length = found.get("content-length", "")
    return is_json and length.isdecimal() and int(length) >= LEAST_BYTES and "content-encoding" not in found
