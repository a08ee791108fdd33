"""A mailbox: what was sent to an actor, and the replies it still owes.

How this works. The queue itself is an unbounded memory channel, because most of what is sent is bounded by
construction or counted here. What a mailbox bounds is *unanswered asks*: an actor may take an ask from the
queue and answer it much later, so the length of the queue says nothing about the work it has accepted. Every
ask is counted when it is sent and ends in exactly one way: answered, refused, failed or abandoned.

An actor that waits for a message may let it be handed over *at once*, in the task of its sender: then an ask costs no
change of tasks. The actor still sees one message at a time and in their order, since that is done only while its
queue is empty and it is not in the middle of another one; what raises there is raised in the task of the actor, so
that it dies of its own bugs and the sender does not.

A reply reschedules the waiting task directly. Once that has happened the task can no longer be cancelled
before it runs, so that an answer is either received or reported as abandoned to the actor that gave it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import trio

from actors.errors import ActorCrashed, ActorStopped, MailboxFull, Refusal

Answer = TypeVar("Answer")
Message = TypeVar("Message")

ReplyState = Literal["open", "answered", "refused", "failed", "abandoned"]


@dataclass(frozen=True, slots=True)
class MailboxStatistics:
    """Counts since the mailbox was made. asked = answered + refused + failed + abandoned + unanswered."""

    queued: int
    unanswered: int
    capacity: int
    closed: bool
    asked: int
    answered: int
    refused: int
    failed: int
    abandoned: int
    full: int
    dropped: int
    undeliverable: int


class Reply(Generic[Answer]):
    """The slot for the answer to one ask. The first way it ends is the only one."""

    __slots__ = ("_error", "_on_abandoned", "_on_settled", "_state", "_task", "_value")

    def __init__(self, on_settled: Callable[["Reply[Any]"], None]) -> None:
        self._state: ReplyState = "open"
        self._value: Answer | None = None
        self._error: BaseException | None = None
        self._task: trio.lowlevel.Task | None = None
        self._on_settled = on_settled
        self._on_abandoned: Callable[[], None] | None = None

    def __repr__(self) -> str:
        return f"<Reply {self._state}>"

    @property
    def state(self) -> ReplyState:
        return self._state

    @property
    def is_open(self) -> bool:
        """Whether somebody still waits for the answer."""
        return self._state == "open"

    def answer(self, value: Answer) -> bool:
        """Give the answer. False: nobody waits any more, and what was granted has to be taken back."""
        return self._settle("answered", value=value)

    def refuse(self, refusal: Refusal) -> bool:
        """Answer "no": the asker gets `refusal` raised."""
        return self._settle("refused", error=refusal)

    def fail(self, error: BaseException) -> bool:
        """Give the ask up, because its actor could not do it."""
        return self._settle("failed", error=error)

    def when_abandoned(self, callback: Callable[[], None]) -> None:
        """Call this when the asker leaves before it is answered, so that a kept ask can be forgotten."""
        self._on_abandoned = callback

    async def wait(self) -> Answer:
        """Wait for the answer, if it is not there yet; being cancelled abandons it."""
        if self._state == "open":
            self._task = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._abandoned)
        return self.result()

    async def settled(self) -> None:
        """Wait until it has ended; being cancelled leaves it as it is. No checkpoint when it has ended already."""
        if self._state == "open":
            self._task = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._left)

    def abandon(self) -> None:
        """Say that nobody waits any more, unless it has ended."""
        if self._settle("abandoned") and self._on_abandoned is not None:
            self._on_abandoned()

    def result(self) -> Answer:
        """Return the answer, or raise what it has ended with instead; once."""
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
        finally:
            del error  # its traceback holds this frame
        return self._value  # type: ignore[return-value]

    def _abandoned(self, raise_cancel: object) -> trio.lowlevel.Abort:
        aborted = self._left(raise_cancel)
        self.abandon()
        return aborted

    def _left(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED

    def _settle(
        self, state: ReplyState, *, value: Answer | None = None, error: BaseException | None = None
    ) -> bool:
        if self._state != "open":
            return False
        self._state, self._value, self._error = state, value, error
        self._on_settled(self)
        if self._task is not None:
            trio.lowlevel.reschedule(self._task)
        return True


AtOnce = Callable[[Message, Reply[Any]], Exception | None]
"""Takes a message in the task of its sender, and returns what the actor died of."""


@dataclass(frozen=True, slots=True)
class _Crash:
    """What an actor died of in the task of a sender."""

    error: Exception


class Mailbox(Generic[Message]):
    """The queue of one actor. It outlives the incarnations of its actor.

    `capacity` is how many asks may be unanswered at once; the actor may change it at any time. `unanswered` says how
    many are. `max_queued` is how long the queue may be before an offer is dropped; asks and tells are not held by it.
    """

    def __init__(self, name: str, *, capacity: int, max_queued: int = 1024) -> None:
        self.name = name
        self.capacity = capacity
        self._max_queued = max_queued
        self._queued = 0
        self._closed = False
        self._at_once: AtOnce[Message] | None = None
        self._send, self._receive = trio.open_memory_channel[tuple[Message | _Crash, Reply[Any] | None]](
            math.inf
        )
        self._taken: dict[Reply[Any], None] = {}
        self._nobody: Reply[Any] = Reply(lambda _: None)
        self._nobody.fail(ActorStopped("nobody asked"))
        self._asked = self.unanswered = 0
        self._ended: dict[ReplyState, int] = {"answered": 0, "refused": 0, "failed": 0, "abandoned": 0}
        self._full = self._dropped = self._undeliverable = 0

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        unanswered = f"{self.unanswered}/{self.capacity} unanswered"
        return f"<Mailbox {self.name!r} {state}: {self._queued} queued, {unanswered}>"

    @property
    def is_closed(self) -> bool:
        return self._closed

    @property
    def is_idle(self) -> bool:
        """Whether nothing is queued and nobody waits for an answer, in a mailbox that is open."""
        return not (self._queued or self.unanswered or self._closed)

    def statistics(self) -> MailboxStatistics:
        return MailboxStatistics(
            queued=self._queued,
            unanswered=self.unanswered,
            capacity=self.capacity,
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

    def post_ask(self, message: Message) -> Reply[Any]:
        """Queue a message that wants an answer, or raise `MailboxFull` or `ActorStopped` at once."""
        if self._closed:
            raise ActorStopped(f"{self.name}: has stopped")
        if self.unanswered >= self.capacity:
            self._full += 1
            raise MailboxFull(f"{self.name}: {self.unanswered} asks are waiting already")
        reply: Reply[Any] = Reply(self._settled)
        self._asked += 1
        self.unanswered += 1
        self._deliver(message, reply)
        return reply

    def post_tell(self, message: Message) -> None:
        """Queue a message whatever the length of the queue; a closed mailbox counts it and forgets it."""
        if self._closed:
            self._undeliverable += 1
        else:
            self._deliver(message, None)

    def post_offer(self, message: Message) -> bool:
        """Queue a message if there is room; False: it was dropped and counted."""
        if self._closed or self._queued >= self._max_queued:
            self._dropped += 1
            return False
        self._post(message, None)
        return True

    async def take(self, at_once: AtOnce[Message] | None = None) -> tuple[Message, Reply[Any]]:
        """Return the next message and the slot for its answer, which is settled already if nobody asked.

        Waits only when the queue is empty; meanwhile asks and tells are handed to `at_once`, if it is given, and
        not returned. An ask that was abandoned in the queue is skipped.
        """
        while True:
            message, reply = self._receive.receive_nowait() if self._queued else await self._wait(at_once)
            self._queued -= 1
            if isinstance(message, _Crash):
                raise message.error
            if reply is None:
                return message, self._nobody
            if reply.is_open:
                self._taken[reply] = None
                return message, reply

    async def _wait(self, at_once: AtOnce[Message] | None) -> tuple[Message | _Crash, Reply[Any] | None]:
        self._at_once = at_once
        try:
            return await self._receive.receive()
        finally:
            self._at_once = None

    def fail_taken(self, cause: BaseException | None) -> None:
        """Fail the asks that the actor has taken and not answered; those in the queue are kept."""
        for reply in tuple(self._taken):
            error = ActorCrashed(f"{self.name}: crashed with this ask in hand")
            error.__cause__ = cause
            reply.fail(error)

    def close(self) -> None:
        """Fail everything that waits for an answer, and refuse everything from now on."""
        if self._closed:
            return
        self._closed = True
        for reply in tuple(self._taken):
            reply.fail(ActorStopped(f"{self.name}: has stopped"))
        self._empty()
        self._send.close()
        self._receive.close()

    def _empty(self) -> None:
        while True:
            try:
                message, reply = self._receive.receive_nowait()
            except trio.WouldBlock:
                return
            self._queued -= 1
            if reply is None:
                self._undeliverable += not isinstance(message, _Crash)
            else:
                reply.fail(ActorStopped(f"{self.name}: has stopped"))

    def _deliver(self, message: Message, reply: Reply[Any] | None) -> None:
        """Hand a message to the actor if it waits for one, else put it into the queue."""
        at_once = self._at_once
        if at_once is None or self._queued:
            self._post(message, reply)
            return
        self._at_once = None
        if reply is not None:
            self._taken[reply] = None
        error = at_once(message, reply or self._nobody)
        if error is None:
            self._at_once = at_once
        else:
            self._post(_Crash(error), None)

    def _post(self, message: Message | _Crash, reply: Reply[Any] | None) -> None:
        self._send.send_nowait((message, reply))
        self._queued += 1

    def _settled(self, reply: Reply[Any]) -> None:
        self.unanswered -= 1
        self._ended[reply.state] += 1
        self._taken.pop(reply, None)
