"""A bridge: a ref to an actor of another process, over a stream.

How this works. Both ends run a `Bridge` on one stream. What is asked, told or offered through `remote` becomes
a frame at once, so that what waits to be sent is bounded in bytes; one task writes, one reads. Messages of the
peer go to the `local` ref in the order in which they came, and each of its asks is answered exactly once: with an
answer, with an error, or with word that it was given up.

Two things do not cross as they are. Each process has its own clock, so a deadline travels as remaining seconds;
a message that holds times must do the same. And an answer may be on its way while its asker leaves: what was
granted by such an answer is handed to `on_unclaimed`, so that it can be given back.

A peer that does not read until `limit_bytes` wait for it is treated as one that is gone.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Generic, TypeVar, cast

import msgspec
import trio

from actors.errors import ActorError, ActorStopped, AskTimeout, MailboxFull, Refusal, WireError
from actors.mailbox import MailboxStatistics, Reply
from actors.ref import Question, Ref
from actors.wire import Codec, FrameDecoder, frame

Answer = TypeVar("Answer")
Message = TypeVar("Message")

LIMIT_BYTES = 32 * 1024 * 1024
CAPACITY = 1024
_READ_BYTES = 64 * 1024


class _Kind(IntEnum):
    """What an envelope is. Only `ASK` has remaining seconds; only answers to asks and their end have a number."""

    ASK = 0
    TELL = 1
    OFFER = 2
    ANSWER = 3
    ERROR = 4
    ABANDON = 5
    GONE = 6


_Envelope = tuple[int, int, float | None, str, msgspec.Raw]
_NOTHING = msgspec.msgpack.encode(None)


@dataclass(slots=True)
class _Pending:
    """An ask of ours; one that was abandoned stays until the peer has said that it is over."""

    message: object
    reply: Reply[Any]


def _ignore(_message: object, _answer: object) -> None:
    pass


class RemoteRef(Ref[Message]):
    """The peer's actor: the verbs of a `Ref`, and one more way to fail, `ActorStopped` when the stream ends."""

    __slots__ = ("_bridge",)

    def __init__(self, bridge: "Bridge[Message]") -> None:
        self._bridge = bridge

    def __repr__(self) -> str:
        return f"<RemoteRef through {self._bridge!r}>"

    @property
    def name(self) -> str:
        return self._bridge.name

    def statistics(self) -> MailboxStatistics:
        """Return the counts of this end; what the peer's mailbox holds is not known here."""
        return self._bridge.statistics()

    async def ask(self, message: Question[Answer], *, deadline: float = math.inf) -> Answer:
        if deadline <= trio.current_time():
            raise AskTimeout(f"{self.name}: the deadline had passed before it was asked")
        reply = self._bridge.post_ask(message, deadline)
        try:
            with trio.CancelScope(deadline=deadline):
                await reply.settled()
            if reply.is_open:  # an answer that came while the loop stood still is read in this turn
                await trio.lowlevel.cancel_shielded_checkpoint()
        finally:
            reply.abandon()
        if reply.state == "abandoned":
            raise AskTimeout(f"{self.name}: gave no answer before the deadline")
        return cast(Answer, reply.result())

    def ask_nowait(self, message: Question[Answer]) -> Reply[Answer]:
        return self._bridge.post_ask(message, math.inf)

    def tell(self, message: Message) -> None:
        self._bridge.post(_Kind.TELL, message)

    def offer(self, message: Message) -> bool:
        return self._bridge.post(_Kind.OFFER, message)


class Bridge(Generic[Message]):
    """One end. `remote` may be used from the start; it works while `run` does.

    `capacity` is how many asks may be unanswered at once, `limit_bytes` how much may wait to be sent: an ask
    that does not fit is refused with `MailboxFull`, an offer is dropped once half of it is full.
    """

    def __init__(
        self,
        name: str,
        stream: trio.abc.Stream,
        codec: Codec,
        local: Ref[Any] | None = None,
        *,
        capacity: int = CAPACITY,
        limit_bytes: int = LIMIT_BYTES,
        on_unclaimed: Callable[[Any, Any], None] = _ignore,
    ) -> None:
        self.name = name
        self.remote: RemoteRef[Message] = RemoteRef(self)
        self._stream = stream
        self._codec = codec
        self._local = local
        self._capacity = capacity
        self._limit_bytes = limit_bytes
        self._on_unclaimed = on_unclaimed
        self._envelopes = msgspec.msgpack.Decoder(_Envelope)
        self._pending: dict[int, _Pending] = {}
        self._serving: dict[int, trio.CancelScope] = {}
        self._outgoing = bytearray()
        self._sending_bytes = 0
        self._has_outgoing = trio.Event()
        self._is_flushed = trio.Event()
        self._closed = False
        self._running = trio.CancelScope()
        self._asked = self._full = self._dropped = self._undeliverable = 0
        self._ended = {"answered": 0, "refused": 0, "failed": 0, "abandoned": 0}

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        return (
            f"<Bridge {self.name!r} {state}: {len(self._pending)} unanswered, {self._waiting_bytes} bytes wait>"
        )

    @property
    def is_closed(self) -> bool:
        return self._closed

    @property
    def _waiting_bytes(self) -> int:
        return len(self._outgoing) + self._sending_bytes

    def statistics(self) -> MailboxStatistics:
        return MailboxStatistics(
            queued=0,
            unanswered=sum(pending.reply.is_open for pending in self._pending.values()),
            capacity=self._capacity,
            closed=self._closed,
            asked=self._asked,
            answered=self._ended["answered"],
            refused=self._ended["refused"],
            failed=self._ended["failed"],
            abandoned=self._ended["abandoned"],
            full=self._full,
            dropped=self._dropped,
            undeliverable=self._undeliverable,
        )

    async def run(self) -> None:
        """Carry messages until the peer closes; then fail what is unanswered with `ActorStopped`.

        Raises `WireError`, bare, when the peer sends what is no message: it cannot be trusted any more. The
        stream is closed in any case.
        """
        failure: WireError | None = None
        try:
            with self._running:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write)
                    try:
                        await self._read(nursery)
                    except WireError as error:
                        failure = error
                    nursery.cancel_scope.cancel(reason="the peer is gone")
        finally:
            self.close()
            await trio.aclose_forcefully(self._stream)
        if failure is not None:
            raise failure

    async def wait_flushed(self) -> None:
        """Wait until everything that was said so far is with the operating system, or nobody will take it."""
        while self._waiting_bytes and not self._closed:
            await self._is_flushed.wait()

    def close(self) -> None:
        """Fail what is unanswered, and everything from now on."""
        self._closed = True
        self._outgoing.clear()
        self._is_flushed.set()
        for pending in tuple(self._pending.values()):
            pending.reply.fail(ActorStopped(f"{self.name}: the other process is gone"))
        self._pending.clear()

    def post_ask(self, message: object, deadline: float) -> Reply[Any]:
        """Send an ask; raise `MailboxFull`, `ActorStopped`, or `WireError` for what cannot travel."""
        if self._closed:
            raise ActorStopped(f"{self.name}: the other process is gone")
        name, body = self._codec.encode(message)
        if len(self._pending) >= self._capacity or self._waiting_bytes + len(body) > self._limit_bytes:
            self._full += 1
            raise MailboxFull(f"{self.name}: {len(self._pending)} asks are waiting already")
        remaining_s = None if deadline == math.inf else deadline - trio.current_time()
        number = self._asked
        self._put(_Kind.ASK, number, remaining_s, name, body)
        self._asked += 1
        reply: Reply[Any] = Reply(self._settled)
        reply.when_abandoned(lambda: self._put(_Kind.ABANDON, number))
        self._pending[number] = _Pending(message, reply)
        return reply

    def post(self, kind: _Kind, message: object) -> bool:
        """Send a tell or an offer; False: it was dropped and counted."""
        if self._closed:
            self._undeliverable += 1
            return False
        if kind is _Kind.OFFER and self._waiting_bytes > self._limit_bytes // 2:
            self._dropped += 1
            return False
        try:
            self._put(kind, 0, None, *self._codec.encode(message))
        except WireError:
            self._dropped += 1
            return False
        return True

    def _put(
        self,
        kind: _Kind,
        number: int,
        remaining_s: float | None = None,
        name: str = "",
        body: bytes = _NOTHING,
    ) -> None:
        if self._closed:
            return
        envelope = (int(kind), number, remaining_s, name, msgspec.Raw(body))
        self._outgoing += frame(msgspec.msgpack.encode(envelope))
        self._has_outgoing.set()
        if self._waiting_bytes > self._limit_bytes:
            self._running.cancel(reason=f"{self.name} does not read")

    def _settled(self, reply: Reply[Any]) -> None:
        self._ended[reply.state] += 1

    async def _write(self) -> None:
        """Write what waits. A peer that cannot be written to may have said something before: it is read on."""
        while True:
            await self._has_outgoing.wait()
            self._has_outgoing = trio.Event()
            data = bytes(self._outgoing)
            self._outgoing.clear()
            self._sending_bytes = len(data)
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await self._stream.send_all(data)
            self._sending_bytes = 0
            self._is_flushed.set()
            self._is_flushed = trio.Event()

    async def _read(self, nursery: trio.Nursery) -> None:
        """Take frames until there are no more. The nursery is that of `run`: each ask of the peer is a task."""
        decoder = FrameDecoder()
        while True:
            try:
                data = await self._stream.receive_some(_READ_BYTES)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return
            if not data:
                return
            for body in decoder.feed(bytes(data)):
                self._take(body, nursery)

    def _take(self, body: bytes, nursery: trio.Nursery) -> None:
        try:
            kind, number, remaining_s, name, raw = self._envelopes.decode(body)
        except msgspec.MsgspecError as error:
            raise WireError(f"{self.name}: an envelope cannot be read: {error}") from None
        match kind:
            case _Kind.ASK:
                self._serve(number, remaining_s, self._codec.decode(name, bytes(raw)), nursery)
            case _Kind.TELL | _Kind.OFFER:
                self._deliver(_Kind(kind), self._codec.decode(name, bytes(raw)))
            case _Kind.ANSWER:
                self._answered(number, self._codec.decode(name, bytes(raw)))
            case _Kind.ERROR:
                self._failed(number, self._codec.decode_error(name, bytes(raw)))
            case _Kind.ABANDON:
                if (scope := self._serving.get(number)) is not None:
                    scope.cancel(reason="the asker has left")
            case _Kind.GONE:
                self._pending.pop(number, None)
            case _:
                raise WireError(f"{self.name}: there are no envelopes of the kind {kind}")

    def _deliver(self, kind: _Kind, message: Any) -> None:
        if self._local is None:
            self._undeliverable += 1
        elif kind is _Kind.TELL:
            self._local.tell(message)
        else:
            self._local.offer(message)

    def _answered(self, number: int, answer: object) -> None:
        pending = self._pending.pop(number, None)
        if pending is not None and not pending.reply.answer(answer):
            self._on_unclaimed(pending.message, answer)

    def _failed(self, number: int, error: ActorError) -> None:
        pending = self._pending.pop(number, None)
        if pending is None:
            return
        if isinstance(error, Refusal):
            pending.reply.refuse(error)
        else:
            pending.reply.fail(error)

    def _serve(self, number: int, remaining_s: float | None, message: Any, nursery: trio.Nursery) -> None:
        """Hand an ask of the peer on at once, so that it keeps its place among what the peer said."""
        try:
            if self._local is None:
                raise ActorStopped(f"{self.name}: nobody answers here")
            reply = self._local.ask_nowait(message)
        except ActorError as error:
            return self._put_error(number, error)
        deadline = math.inf if remaining_s is None else trio.current_time() + remaining_s
        self._serving[number] = scope = trio.CancelScope(deadline=deadline)
        nursery.start_soon(self._wait_for, number, reply, scope)
        return None

    async def _wait_for(self, number: int, reply: Reply[Any], scope: trio.CancelScope) -> None:
        try:
            with scope:
                self._put(_Kind.ANSWER, number, None, *self._codec.encode(await reply.wait()))
            if scope.cancelled_caught:
                self._put(_Kind.GONE, number)
        except ActorError as error:
            self._put_error(number, error)
        finally:
            self._serving.pop(number, None)

    def _put_error(self, number: int, error: ActorError) -> None:
        self._put(_Kind.ERROR, number, None, *self._codec.encode_error(error))
