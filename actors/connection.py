"""One connection to an upstream, and the exchange that is on it.

How this works. A request that the kernel surely takes at once is sent before the answer is read, in the same
task. A larger one is sent by a second task while the first reads, because an upstream may answer (most often:
refuse) before it has read everything, and then stop reading. An early refusal ends the sending; an early
success is read on, up to a bound, while the rest is sent.

Everything that streams, sockets and TLS can raise is translated here.
"""

import math
import ssl

import trio

from actors.errors import Phase, PoolError
from actors.http1 import ResponseReader
from actors.request import Limits

READ_BYTES = 65_536
INLINE_BYTES = 65_536
"""A request up to this size fits into the buffers of an idle connection on any system that matters."""
EARLY_BYTES = 1_048_576
"""How much of an early answer is kept while the request is still being sent."""


class Connection:
    """A stream that carries one exchange after the other."""

    __slots__ = ("_all_sent", "_sending", "_served", "idle_since", "opened_at", "stream")

    def __init__(self, stream: trio.abc.Stream, opened_at: float) -> None:
        self.stream = stream
        self.opened_at = opened_at
        self.idle_since = opened_at
        self._served = 0
        self._all_sent = True
        self._sending: trio.CancelScope | None = None

    def __repr__(self) -> str:
        return f"<Connection of {trio.current_time() - self.opened_at:.0f} s, {self._served} served>"

    @property
    def was_reused(self) -> bool:
        """Whether this exchange is not the first one here, so that the upstream may have closed meanwhile."""
        return self._served > 1

    def is_reusable(self, reader: ResponseReader) -> bool:
        return self._all_sent and reader.is_reusable

    async def begin(self, head: bytes, body: bytes, reader: ResponseReader, limits: Limits) -> None:
        """Send a request and read until the head of the answer is complete."""
        self._served += 1
        self._all_sent = False
        with trio.CancelScope(deadline=trio.current_time() + limits.first_byte_s):
            if len(head) + len(body) <= INLINE_BYTES:
                self._all_sent = await self._send(head + body)
                await self._read_head(reader)
            else:
                await self._send_and_read(head, body, reader)
            return
        raise PoolError("timeout", f"no answer within {limits.first_byte_s:g} s", phase="first_byte")

    async def read_more(self, reader: ResponseReader, *, deadline: float = math.inf) -> bool:
        """Read once from the stream into the reader. False: the deadline passed, and nothing was lost."""
        with trio.CancelScope(deadline=deadline):
            await self._read(reader)
            return True
        return False

    async def _read_head(self, reader: ResponseReader) -> None:
        while reader.status is None:
            await self._read(reader)
            if reader.fault is not None and reader.status is None:
                raise reader.fault

    async def _read(self, reader: ResponseReader) -> None:
        try:
            data = await self.stream.receive_some(READ_BYTES)
        except (trio.BrokenResourceError, OSError) as error:
            raise PoolError(
                "reset", f"the connection broke: {cause_of(error)}", phase=_phase(reader)
            ) from error
        if data:
            reader.feed(bytes(data))
        else:
            reader.feed_eof()

    async def _send(self, data: bytes) -> bool:
        """Send data; False: the upstream took no more of it. Why it closed may be in what it sent before."""
        try:
            await self.stream.send_all(data)
        except (trio.BrokenResourceError, OSError):
            return False
        return True

    async def _send_and_read(self, head: bytes, body: bytes, reader: ResponseReader) -> None:
        failure: PoolError | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._send_rest, head, body)
            try:
                await self._read_head(reader)
                await self._read_early(reader)
            except PoolError as error:
                failure = error
            nursery.cancel_scope.cancel(reason="the upstream has answered")
        if failure is not None:
            raise failure

    async def _send_rest(self, head: bytes, body: bytes) -> None:
        try:
            self._all_sent = await self._send(head) and await self._send(body)
        finally:
            if self._sending is not None:
                self._sending.cancel(reason="the request has been sent")

    async def _read_early(self, reader: ResponseReader) -> None:
        """Go on reading an early success until the request is sent; leave an early refusal at once."""
        limit_bytes = reader.received_bytes + EARLY_BYTES
        if self._all_sent or reader.status is None or reader.status >= 300:
            return
        with trio.CancelScope() as self._sending:
            while not reader.is_complete and reader.fault is None and reader.received_bytes < limit_bytes:
                await self._read(reader)
        self._sending = None


def _phase(reader: ResponseReader) -> Phase:
    return "first_byte" if reader.status is None else "idle"


def cause_of(error: BaseException) -> str:
    """Say what went wrong, from the error that Trio wraps if there is one."""
    cause = error.__cause__ if isinstance(error, trio.BrokenResourceError) and error.__cause__ else error
    if isinstance(cause, ssl.SSLError):
        return f"TLS: {cause}"
    return str(cause) or type(cause).__name__
