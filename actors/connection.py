"""One connection to an upstream, and the exchange that is on it.

How this works. On a plain socket the system is asked directly: a request is written at once, most often whole,
and a read waits first, because no upstream has answered yet when it has just been asked. Both cost about half of
what the stream's own ways do. Through TLS the stream does the same with what it has encrypted.

A request that was not taken whole is sent by a second task while the first reads, because an upstream may answer
(most often: refuse) before it has read everything, and then stop reading. An early refusal ends the sending; an
early success is read on, up to a bound, while the rest is sent.

In HTTP/2 both sides go on saying something while an answer comes; what this side has to say is sent after each read.

A deadline is a cancel scope, which costs more than the whole reading; who sets a limit to infinity keeps the
time himself, and no scope is made. Everything that streams, sockets and TLS can raise is translated here.
"""

import math
import os
import ssl
from collections.abc import Awaitable
from typing import TYPE_CHECKING

import trio

from actors.errors import Phase, PoolError
from actors.http1 import Fields, ResponseReader
from actors.network import close_now, poll_of
from actors.reader import AnswerReader
from actors.request import Limits, UpstreamRequest
from actors.sockets import NONE, READ_BYTES, plain_socket
from actors.tls_stream import TlsStream

if TYPE_CHECKING:
    from actors.http2 import Http2Session

INLINE_BYTES = 65_536
"""A request up to this size fits into the buffers of an idle connection on any system that matters."""
EARLY_BYTES = 1_048_576
"""How much of an early answer is kept while the request is still being sent."""
_JOIN_BYTES = 16_384
"""Up to here one write of head and body together is cheaper than one of two pieces."""


class Connection:
    """A stream that carries one exchange after the other, in HTTP/2 if there is a `session`.

    Connections to one upstream have the same `fields`.
    `good_until` is for who keeps it while it is idle. Nobody else may close its stream: its number may be another
    socket's then.
    """

    __slots__ = (
        "_all_sent",
        "_descriptor",
        "_fields",
        "_is_cut",
        "_poll",
        "_sending",
        "_served",
        "_session",
        "_socket",
        "_tls",
        "good_until",
        "opened_at",
        "stream",
    )

    def __init__(
        self,
        stream: trio.abc.Stream,
        opened_at: float,
        session: "Http2Session | None" = None,
        fields: Fields | None = None,
    ) -> None:
        self.stream = stream
        self._session = session
        self._fields = Fields() if fields is None else fields
        self.opened_at = opened_at
        self.good_until = math.inf
        self._tls = stream if isinstance(stream, TlsStream) else None
        self._socket = plain_socket(stream)
        self._descriptor = NONE if self._socket is None else self._socket.fileno()
        self._poll = poll_of(stream)
        self._served = 0
        self._all_sent = True
        self._is_cut = False
        self._sending: trio.CancelScope | None = None

    def __repr__(self) -> str:
        return f"<Connection of {trio.current_time() - self.opened_at:.0f} s, {self._served} served>"

    @property
    def was_reused(self) -> bool:
        """Whether this exchange is not the first one here, so that the upstream may have closed meanwhile."""
        return self._served > 1

    def is_reusable(self, reader: AnswerReader) -> bool:
        return self._all_sent and not self._is_cut and reader.is_reusable

    def cancel(self, *, reason: str | None = None) -> None:
        """End what waits here, from outside: it fails with a `PoolError` "timeout". Costs nothing until then."""
        self._is_cut = True
        self.close()

    def close(self) -> None:
        """Close the stream at once, whatever is on it."""
        self._descriptor = NONE
        close_now(self.stream)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing has come since the last exchange, as far as one may conclude from it.

        In HTTP/2 an upstream may say something at any time; that it has ended the connection shows on use.
        """
        return self._poll is None or self._session is not None or not self._poll.poll(0)

    @property
    def tls(self) -> TlsStream | None:
        """What decrypts the bytes of the socket, where that is necessary."""
        return self._tls

    @property
    def descriptor(self) -> int | None:
        """The socket from which somebody else may read for the exchange just now; None where nobody may."""
        if self._session is not None or self._is_cut:
            return None
        tls = self.tls
        if tls is None:
            return None if self._descriptor == NONE else self._descriptor
        socket = plain_socket(tls.transport_stream)
        return socket.fileno() if socket is not None and tls.is_settled else None

    def reader(self, request: UpstreamRequest, limits: Limits) -> AnswerReader:
        """Return what will read the answer to the next request."""
        if self._session is None:
            return ResponseReader(request.method, limits, self._fields)
        return self._session.begin(request, limits)

    def begin(self, head: bytes, body: bytes, reader: AnswerReader, limits: Limits) -> Awaitable[None]:
        """Send what the system takes of a request at once; then wait for the rest, and for the head of the answer."""
        self._served += 1
        sent = self._write_now(head, body)
        self._all_sent = sent == len(head) + len(body) and not (self._tls is not None and self._tls.owes)
        if limits.first_byte_s != math.inf:
            return self._go_on_in_time(head, body, sent, reader, limits.first_byte_s)
        if not self._all_sent:
            return self._go_on(head, body, sent, reader)
        return self._read(reader, until_head=True)

    async def read_more(self, reader: AnswerReader, *, deadline: float = math.inf) -> bool:
        """Read once from the stream into the reader. False: the deadline passed, and nothing was lost."""
        if deadline == math.inf:
            await self._read(reader)
            return True
        with trio.CancelScope(deadline=deadline):
            await self._read(reader)
            return True
        return False

    async def _go_on_in_time(
        self, head: bytes, body: bytes, sent: int, reader: AnswerReader, first_byte_s: float
    ) -> None:
        with trio.CancelScope(deadline=trio.current_time() + first_byte_s):
            return await self._go_on(head, body, sent, reader)
        raise PoolError("timeout", f"no answer within {first_byte_s:g} s", phase="first_byte")

    async def _go_on(self, head: bytes, body: bytes, sent: int, reader: AnswerReader) -> None:
        """Send what the system has not taken at once, and read the head of the answer."""
        if self._session is not None:
            self._all_sent = await self._flush(self._session)
        elif sent == 0 and len(head) + len(body) <= INLINE_BYTES:
            self._all_sent = await self._send(head + body)
        elif not self._all_sent:
            begun = sent - len(head)  # a long body is not copied for what is missing of it
            rest = memoryview(body)[begun:] if begun >= 0 else memoryview(head + body)[sent:]
            return await self._send_and_read(rest, reader)
        return await self._read_head(reader)

    async def _read_head(self, reader: AnswerReader) -> None:
        if reader.status is None:
            if reader.fault is not None:
                raise reader.fault
            await self._read(reader, until_head=True)

    async def _read(self, reader: AnswerReader, *, until_head: bool = False) -> None:
        """Read once, or as often as it takes until the head of the answer is complete."""
        while True:
            try:
                if self._is_cut:  # closed: there is nothing left to wait for
                    raise trio.ClosedResourceError
                if self._socket is None:
                    data = bytes(await self.stream.receive_some(READ_BYTES))
                else:
                    await trio.lowlevel.wait_readable(self._descriptor)
                    data = os.read(self._descriptor, READ_BYTES)
            except BlockingIOError:  # woken for nothing
                continue
            except (trio.BrokenResourceError, trio.ClosedResourceError, OSError) as error:
                if self._is_cut:
                    raise PoolError("timeout", "the wait was ended", phase=_phase(reader)) from None
                raise PoolError(
                    "reset", f"the connection broke: {cause_of(error)}", phase=_phase(reader)
                ) from error
            if data:
                reader.feed(data)
            else:
                reader.feed_eof()
            if self._session is not None:
                self._all_sent = await self._flush(self._session) and self._all_sent
            if not until_head or reader.status is not None:
                return
            if reader.fault is not None:
                raise reader.fault

    async def _flush(self, session: "Http2Session") -> bool:
        """Send what the session has to say; False: the upstream took no more of it."""
        data = session.take_outgoing()
        return not data or await self._send(data)

    def _write_now(self, head: bytes, body: bytes) -> int:
        """Write what the system takes without waiting; return how much that was.

        An upstream that takes nothing any more may have said why: that is then found by reading.
        """
        if self._session is not None:
            return 0
        try:
            if self._tls is not None:
                return self._tls.send_now(head + body)
            if self._socket is None:
                return 0
            if len(body) <= _JOIN_BYTES:
                return os.write(self._descriptor, head + body)
            return os.writev(self._descriptor, (head, body))
        except (OSError, trio.BrokenResourceError):
            return 0

    async def _send(self, data: bytes | memoryview) -> bool:
        """Send data; False: the upstream took no more of it. Why it closed may be in what it sent before."""
        try:
            await self.stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError, OSError):
            return False
        return True

    async def _send_and_read(self, data: memoryview, reader: AnswerReader) -> None:
        failure: PoolError | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._send_rest, data)
            try:
                await self._read_head(reader)
                await self._read_early(reader)
            except PoolError as error:
                failure = error
            nursery.cancel_scope.cancel(reason="the upstream has answered")
        try:
            if failure is not None:
                raise failure
        finally:
            del failure  # its traceback holds this frame

    async def _send_rest(self, data: memoryview) -> None:
        try:
            self._all_sent = await self._send(data)
        finally:
            if self._sending is not None:
                self._sending.cancel(reason="the request has been sent")

    async def _read_early(self, reader: AnswerReader) -> None:
        """Go on reading an early success until the request is sent; leave an early refusal at once."""
        limit_bytes = reader.received_bytes + EARLY_BYTES
        if self._all_sent or reader.status is None or reader.status >= 300:
            return
        with trio.CancelScope() as self._sending:
            while not reader.is_complete and reader.fault is None and reader.received_bytes < limit_bytes:
                await self._read(reader)
        self._sending = None


def _phase(reader: AnswerReader) -> Phase:
    return "first_byte" if reader.status is None else "idle"


def cause_of(error: BaseException) -> str:
    """Say what went wrong, from the error that Trio wraps if there is one."""
    cause = error.__cause__ if isinstance(error, trio.BrokenResourceError) and error.__cause__ else error
    if isinstance(cause, ssl.SSLError):
        return f"TLS: {cause}"
    return str(cause) or type(cause).__name__
