"""What the leader of a flight sends its answer through: to its own client, and to those who follow.

How this works. While nobody follows, every part is kept for others and passed on. The first follower changes that.
The leader's client then leaves without ending the call, as long as anybody follows. And its stream is sent by a task
of its own: it is a reader of the fan-out like the others, so that it holds up nobody, and nobody holds it up. The
leader itself reads on while the fastest of all readers keeps up.
"""

from collections.abc import Awaitable, Callable

import trio

from ucr.dialects.roles import ClientDialect, HeaderList
from ucr.errors import ApiError, ClientGone
from ucr.exchange import Direct, Exchange
from ucr.flight import Flight
from ucr.record import Record

AHEAD_BYTES = 64 * 1024
"""How far a stream is read ahead of its fastest reader."""


def lagging() -> ApiError:
    """Return what a client is told that reads too slowly to share a stream."""
    words = (
        "the stream was shared with faster clients, and this one fell too far behind; "
        "read faster, or ask with cache-control: no-store for a stream of its own"
    )
    return ApiError("overloaded_error", words)


class Lead:
    """See `ucr.exchange.Sink` and `ucr.flight.Leader`."""

    __slots__ = (
        "_cancel",
        "_client",
        "_direct",
        "_exchange",
        "_flight",
        "_is_failing",
        "_is_sending",
        "_own",
        "_unsent",
        "is_followed",
        "record",
    )

    def __init__(self, flight: Flight, exchange: Exchange, client: ClientDialect, record: Record) -> None:
        self.record = record
        self.is_followed = False
        self._flight = flight
        self._exchange = exchange
        self._client = client
        self._own: OwnReader | None = None
        self._is_failing = False
        self._is_sending = False
        self._cancel: Callable[[], None] | None = None
        self._direct: Direct | None = None
        self._unsent = b""

    def followed(self) -> bool:
        """Share from now on. Not while the client keeps a part of its stream waiting: it would hold up all."""
        if not self.is_followed:
            if self._is_sending:
                return False
            self.is_followed = True
            self._exchange.when_left(self._left)
            if self._flight.stream:
                self._own = OwnReader(self._flight, self._exchange, self._client, self.record)
                self._exchange.spawn(self._own.deliver)
        return True

    def deserted(self) -> None:
        """Nobody follows any more: without a client of its own the call ends."""
        if self._cancel is not None:
            self._flight.give_up()
            self._cancel()

    def _left(self, cancel: Callable[[], None]) -> bool:
        """The leader's client has left. True when the call goes on for others; `cancel` ends it then."""
        if self._flight.state != "flying" or not self._flight.seats:
            return False
        self._cancel = cancel
        if self._own is not None:
            self._own.stop()
        return True

    def close(self) -> None:
        """The leader is done."""
        if self.is_followed:
            self._exchange.when_left(None)
            if self._own is not None:
                self._own.stop()

    async def leave_with_client(self) -> None:
        """End as who is left by its client, if the client has left."""
        if self._cancel is not None:
            self._cancel()
            await trio.lowlevel.checkpoint()

    def fail(self, error: ApiError, body: bytes | None) -> None:
        """What is sent from now on tells the leader's client of this error, and nobody else."""
        self._is_failing = True
        self._flight.fail(error, body)

    async def start(self, status: int, headers: HeaderList) -> None:
        """Send the head of the answer; once."""
        if self._own is not None:
            self._own.head = status, headers
        elif self._cancel is None:
            self._is_sending = True
            await self._exchange.start(status, headers)
            self._is_sending = False

    async def send(self, data: bytes) -> None:
        """Send a part of the body."""
        if not self._is_failing:
            if self._flight.stream:
                self._flight.add(data)
            else:
                self._flight.end(data)
        if self._own is None:
            if self._cancel is None:
                self._is_sending = True
                await self._exchange.send(data)
                self._is_sending = False
        elif self._is_failing:
            self._own.rest.append(data)
        else:
            await self._flight.wait_taken(AHEAD_BYTES)

    @property
    def direct(self) -> Direct | None:
        """Itself, as long as nobody follows and its client's connection can be written to directly."""
        is_alone = self._flight.stream and self._own is None and self._cancel is None
        self._direct = self._exchange.direct if is_alone else None
        return None if self._direct is None else self

    def send_now(self, data: bytes) -> bool:
        """Send a part without waiting; see `ucr.exchange.Direct`. With the first follower that is over."""
        if self._direct is None or self._own is not None or self._cancel is not None:
            self._unsent = data
            return False
        self._flight.add(data)
        is_sent = self._direct.send_now(data)
        self._is_sending = not is_sent
        return is_sent

    async def drain(self) -> None:
        """Send what `send_now` has left."""
        unsent, self._unsent = self._unsent, b""
        if unsent:
            return await self.send(unsent)
        if self._is_sending and self._direct is not None:
            await self._direct.drain()
            self._is_sending = False
        return None

    def spawn(self, act: Callable[[], Awaitable[None]]) -> None:
        """Run something beside the answer; see `ucr.exchange.Exchange.spawn`."""
        self._exchange.spawn(act)

    async def finish(self) -> None:
        """End the answer, which is delivered then."""
        self._flight.end()
        if self._own is not None:
            await self._own.end()
        elif self._cancel is None:
            await self._exchange.finish()


class OwnReader:
    """Sends a followed stream to the leader's own client. `rest` follows what all get, and is for it alone."""

    def __init__(self, flight: Flight, exchange: Exchange, client: ClientDialect, record: Record) -> None:
        self.head: tuple[int, HeaderList] | None = None
        self.rest: list[bytes] = []
        self._flight = flight
        self._exchange = exchange
        self._client = client
        self._record = record
        self._reader = flight.fanout.join(late=False)
        self._is_whole = False
        self._is_stopped = False
        self._scope = trio.CancelScope()
        self._has_ended = trio.Event()

    def __repr__(self) -> str:
        return f"<OwnReader: {self._reader!r}>"

    def stop(self) -> None:
        """Send no more, and leave the answer visibly cut off where it is not whole."""
        self._is_stopped = True
        self._scope.cancel(reason="nobody sends to this client any more")
        self._flight.unread(self._reader)

    async def end(self) -> None:
        """Return when everything was sent, or the client has left."""
        self._is_whole = True
        self._flight.tell_news()
        await self._has_ended.wait()

    async def deliver(self) -> None:
        """Send to the client what the stream gives, until its end."""
        try:
            with self._scope:
                await self._deliver()
        except ClientGone:  # the leader has been told
            pass
        finally:
            self._has_ended.set()
            self._flight.unread(self._reader)

    async def _deliver(self) -> None:
        while not self._reader.is_cut:
            if self._is_stopped:
                return
            if data := self._reader.take():
                self._flight.tell_taken()
                await self._send(data)
            elif self._is_whole:
                break
            else:
                await self._flight.wait_news()
        if self._reader.is_cut:
            self._record.error_type = lagging().type
            self.rest = [self._client.encode_stream_error(lagging(), self._record.request_id)]
        for data in self.rest:
            await self._send(data)
        await self._exchange.finish()

    async def _send(self, data: bytes) -> None:
        if not self._exchange.is_started and self.head is not None:
            await self._exchange.start(*self.head)
        await self._exchange.send(data)
