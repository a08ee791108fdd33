"""The client's side of one answer: when it starts, what keeps it alive, how it ends.

Nothing is sent before the commit point, except after `SILENCE_S` on a stream: then the answer is opened and
kept alive, while candidates may still change. Who sends takes turns, so that no keep-alive is in the middle of an event.

How this works: a stream that is never silent for long needs no task of its own. A timer looks when a keep-alive
may be due, and starts the sending beside the answer if it is.
"""

from collections.abc import Callable

import trio
from msgspec import Struct

from actors import Timers
from ucr.dialects.roles import ClientDialect, HeaderList, Tap
from ucr.errors import ApiError
from ucr.exchange import Direct, Sink
from ucr.kept import Kept
from ucr.ratelimits import without
from ucr.record import Record
from ucr.stream_copy import StreamCopy

SILENCE_S = 20.0
PING_S = 15.0

OnFail = Callable[[ApiError, bytes | None], None]
"""Told of an error, and of the provider's own words for a client of its dialect."""


class Delivery(Struct, eq=False):
    """Sends one answer. `extra_headers` are those of the provider that the client may see.

    `timers` tell it when a stream was silent for too long, and `on_data` is told of each part of a stream before it
    is sent.
    `is_opened` says that the stream has a beginning of the router's own, `replied` is a whole answer that was sent, or
    the whole stream where it goes into a `copy` as well.
    """

    _exchange: Sink
    _client: ClientDialect
    _record: Record
    _timers: Timers
    _is_sending: bool = False
    _waiting: trio.lowlevel.ParkingLot | None = None
    _tap: Tap | None = None
    is_opened: bool = False
    _quiet_since_s: float = 0.0
    extra_headers: HeaderList = ()
    is_started: bool = False
    _has_ended: bool = False
    _is_nudged: bool = False
    replied: bytes | None = None
    copy: StreamCopy | None = None
    _is_muted: bool = False
    _direct: Direct | None = None
    _left: bytes = b""
    _is_behind: bool = False
    _on_fail: OnFail | None = None
    on_data: Callable[[bytes], None] | None = None

    def __repr__(self) -> str:
        return f"<Delivery, {'ended' if self._has_ended else 'started' if self.is_started else 'not started'}>"

    @property
    def has_ended(self) -> bool:
        """True when nothing more is sent: the answer was whole, or an error, or its client has left."""
        return self._has_ended

    @property
    def may_divert(self) -> bool:
        """False while something is being sent, and when all was."""
        return not (self._has_ended or self._is_behind or self._is_sending)

    def divert(self, sink: Sink, on_fail: OnFail) -> None:
        """Send through this from now on; `on_fail` is told of an error before it is sent."""
        self._exchange, self.on_data, self._direct = sink, None, None
        self._on_fail = on_fail

    def mute(self) -> None:
        """Send nothing from now on: the client has left."""
        self._is_muted, self.copy = True, None
        self.leave_alone()

    def watch(self, tap: Tap) -> None:
        """Deliver this tap's stream from now on; one opened earlier for another candidate stays open."""
        self._tap = tap
        if not self.is_started:
            self._quiet_since_s = self._timers.now()
        if self.is_opened:
            tap.open_early(self._record.message_id)

    async def write(self, data: bytes) -> None:
        """Send a part of the stream, with the head before the first part."""
        if data and not self._is_muted:
            await self._turn()
            try:
                await self._write(data)
            finally:
                self._end_turn()
            if self.copy is not None:
                self.copy.add(data)

    def can_write_now(self) -> bool:
        """Return whether the stream has begun and `write_now` may be used."""
        self._direct = self._exchange.direct if self.is_started else None
        return self._direct is not None

    def write_now(self, data: bytes, now_s: float) -> bool:
        """Send a part of the stream without waiting; False when `drain` is to send what is left of it."""
        if self._is_muted:
            return True
        if self._direct is None or self._is_sending:
            self._left = data
            return False
        self._quiet_since_s = now_s
        if self.copy is not None:
            self.copy.add(data)
        if self.on_data is not None:
            self.on_data(data)
        is_sent = self._direct.send_now(data)
        self._is_behind = not is_sent
        return is_sent

    async def drain(self) -> None:
        """Send what `write_now` has left."""
        left, self._left = self._left, b""
        if left:
            return await self.write(left)
        await self._turn()
        try:
            if self._direct is not None and not self._is_muted:
                await self._direct.drain()
            self._is_behind = False
        finally:
            self._end_turn()

    async def _turn(self) -> None:
        """Wait until nobody else sends. A flag, because that is nearly always so, and a lock costs a dozen calls."""
        while self._is_sending:
            self._waiting = self._waiting or trio.lowlevel.ParkingLot()
            await self._waiting.park()
        self._is_sending = True

    def _end_turn(self) -> None:
        self._is_sending = False
        if self._waiting is not None:
            self._waiting.unpark()

    async def _write(self, data: bytes) -> None:
        if not self.is_started:
            await self._start(200, self._client.stream_type)
        if self.on_data is not None:
            self.on_data(data)
        await self._exchange.send(data)
        self._quiet_since_s = self._timers.now()

    async def _start(self, status: int, content_type: str) -> None:
        self.is_started = True
        now_s = self._timers.now()
        self._record.status = status
        self._record.first_byte_s = now_s
        if self._record.limit_headers:
            self.extra_headers = without(self.extra_headers, self._record.limit_headers)
        headers = (("content-type", content_type), ("cache-control", "no-cache"))
        await self._exchange.start(status, headers + self._record.headers(now_s) + self.extra_headers)

    def keep_alive(self) -> None:
        """Keep the stream alive, until `leave_alone`."""
        self._quiet_since_s = self._timers.now()
        self._timers.set(self._look, self._quiet_since_s + PING_S)

    def leave_alone(self) -> None:
        """Keep the stream alive no longer: it has ended, one way or another."""
        self._has_ended = True
        self._tap = None  # that of a bridge's part leads back to here
        self._timers.clear(self._look)

    def _look(self) -> None:
        """Begin to send a keep-alive if one is due, and look again before the next one can be."""
        now_s = self._timers.now()
        due_s = self._due_s()
        if due_s <= now_s and not self._is_nudged:
            self._is_nudged = True
            self._exchange.spawn(self._send_keep_alive)
        latest_s = now_s + PING_S
        self._timers.set(self._look, due_s if now_s < due_s < latest_s else latest_s)

    async def _send_keep_alive(self) -> None:
        """Open a stream that was silent for `SILENCE_S`; send a keep-alive after `PING_S` without content."""
        await self._turn()
        try:
            self._is_nudged = False
            if self._has_ended or self._timers.now() < self._due_s():
                return
            self._quiet_since_s = self._timers.now()
            if data := self._keep_alive_bytes():
                await self._write(data)
        finally:
            self._end_turn()

    def _due_s(self) -> float:
        return self._quiet_since_s + (PING_S if self.is_started else SILENCE_S)

    def _keep_alive_bytes(self) -> bytes:
        """Return b"" while no upstream is open, so that a failure still gets a status of its own."""
        if self._tap is None or not self._tap.is_at_boundary:
            return b""
        if self.is_started:
            return self._client.keep_alive()
        self.is_opened, self.copy = True, None
        return self._tap.open_early(self._record.message_id) + self._client.keep_alive()

    async def reply(self, body: bytes) -> None:
        """Send a whole answer, and remember it."""
        if self._is_muted:
            return
        self.replied = body
        self.extra_headers += (("content-length", str(len(body))),)
        await self._start(200, "application/json")
        self._has_ended = True
        await self._exchange.finish(body)

    async def replay(self, kept: Kept, age_s: float | None) -> None:
        """Send an answer that was kept, in the form in which it was given: a stream keeps all of its events.

        `age_s` is None for one that is shared as soon as it is there.
        """
        if age_s is not None:
            self.extra_headers = (("age", str(int(age_s))),)
        if not kept.is_stream:
            return await self.reply(kept.body)
        return await self.end(kept.body)

    async def end(self, last: bytes = b"") -> None:
        """End a stream that was delivered to its end but for a `last` part, its error event included."""
        if self.copy is not None:
            self.copy.add(last)
            self.replied = self.copy.whole()
        if not self._is_muted:
            await self._turn()
            try:
                if not self.is_started:
                    await self._start(200, self._client.stream_type)
                if last and self.on_data is not None:
                    self.on_data(last)
                self._has_ended = True  # a keep-alive that waits for its turn is then too late
                await self._exchange.finish(last)
            finally:
                self._end_turn()

    async def fail(self, error: ApiError, body: bytes | None) -> None:
        """Tell the client an error: as a status while nothing was sent, else as the stream's last event.

        `body` is the provider's own error body, for a client of the same dialect.
        """
        if self._is_muted:
            return
        self._record.error_type = error.type
        if self._on_fail is not None:
            self._on_fail(error, body)
        await self._turn()
        try:
            if self.is_started:
                written = self._client.encode_stream_error(error, self._record.request_id)
            else:
                written = body or self._client.encode_error(error, self._record.request_id)
                self.extra_headers += (*error_headers(error), ("content-length", str(len(written))))
                await self._start(error.status, "application/json")
            self._has_ended = True
            await self._exchange.finish(written)
        finally:
            self._end_turn()


def error_headers(error: ApiError) -> HeaderList:
    """Return what tells a client whether and when to try again."""
    headers = list(error.headers)
    if error.retry_after_s is not None:
        headers.append(("retry-after", str(error.retry_after_s)))
    if error.should_retry is not None:
        headers.append(("x-should-retry", "true" if error.should_retry else "false"))
    return tuple(headers)
