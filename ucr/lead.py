"""What the leader of a flight sends its answer through: to its own client, and to those who follow.

How this works. While nobody follows, an answer goes its way, and the parts of a stream are kept as they pass. The
first follower changes that: the delivery is diverted. The leader's client then leaves without ending the call, as
long as anybody follows. And its stream is sent by a task of its own: it is a reader of the fan-out like the others,
so that it holds up nobody, and nobody holds it up. The leader itself reads on while the fastest of all readers
keeps up.
"""

from collections.abc import Awaitable, Callable

import trio

from ucr.call import Call
from ucr.delivery import Delivery
from ucr.dialects.roles import ClientDialect, HeaderList
from ucr.errors import ApiError, ClientGone
from ucr.exchange import Exchange
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
    """See `ucr.exchange.Sink` and `ucr.flight.Leader`. Whoever leads has it from its beginning until `close`.

    It keeps nothing of the request, and has the delivery only until that leads to it: nothing is left in a cycle.
    """

    __slots__ = ("_cancel", "_client", "_exchange", "_flight", "_is_failing", "_own", "_undiverted", "record")

    def __init__(self, flight: Flight, exchange: Exchange, call: Call) -> None:
        self.record: Record = call.record
        self._flight = flight
        self._exchange = exchange
        self._client: ClientDialect = call.client
        self._undiverted: Delivery | None = call.delivery
        self._own: OwnReader | None = None
        self._is_failing = False
        self._cancel: Callable[[], None] | None = None
        if flight.stream:
            call.delivery.on_data = flight.fanout.add
        flight.led_by(self)

    def followed(self) -> bool:
        """Share from now on. Not while the client keeps a part of its stream waiting: it would hold up all."""
        delivery, is_stream = self._undiverted, self._flight.stream
        if delivery is None:
            return True
        if not delivery.may_divert or (delivery.is_started and not is_stream):
            return False
        self._undiverted = None
        delivery.divert(self, self.fail)
        self._exchange.when_left(self._left)
        if is_stream:
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
        """The leader is done; if its client has left, it ends as such."""
        self._flight.give_up()
        if self._undiverted is None:
            self._exchange.when_left(None)
            if self._own is not None:
                self._own.stop()
            if self._cancel is not None:
                self._cancel()

    def fail(self, error: ApiError, body: bytes | None) -> None:
        """What is sent from now on tells the leader's client of this error, and nobody else."""
        self._is_failing = True
        self._flight.fail(error, body)

    async def start(self, status: int, headers: HeaderList) -> None:
        """Send the head of the answer; once."""
        if self._own is not None:
            self._own.head = status, headers
        elif self._cancel is None:
            await self._exchange.start(status, headers)

    async def send(self, data: bytes) -> None:
        """Send a part of the body."""
        if not self._is_failing:
            if self._flight.stream:
                self._flight.add(data)
            else:
                self._flight.end(data)
        if self._own is None:
            if self._cancel is None:
                await self._exchange.send(data)
        elif self._is_failing:
            self._own.rest.append(data)
        else:
            await self._flight.wait_taken(AHEAD_BYTES)

    @property
    def direct(self) -> None:
        """None: what is shared is sent by tasks; see `ucr.exchange.Sink.direct`."""
        return None

    def spawn(self, act: Callable[[], Awaitable[None]]) -> None:
        """Run something beside the answer; see `ucr.exchange.Exchange.spawn`."""
        self._exchange.spawn(act)

    async def finish(self, last: bytes = b"") -> None:
        """End the answer, which is delivered then."""
        if last:
            await self.send(last)
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
