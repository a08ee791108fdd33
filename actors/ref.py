"""A ref: the only way to reach an actor.

Three verbs. `ask` is bounded, and answered or failed exactly once. `tell` never waits and never fails: it is
for messages that are bounded by construction. `offer` never waits either, and is dropped and counted when the
queue is long.
"""

import math
from typing import Any, Generic, TypeVar, cast

import trio

from actors.errors import AskTimeout
from actors.mailbox import Mailbox, MailboxStatistics, Reply

Answer = TypeVar("Answer", covariant=True)
Message = TypeVar("Message")


class Question(Generic[Answer]):
    """The base of every message that is asked: its parameter is the type of the answer."""

    __slots__ = ()


class Ref(Generic[Message]):
    """A handle on an actor that stays good while its incarnations come and go."""

    __slots__ = ("_mailbox",)

    def __init__(self, mailbox: Mailbox[Message]) -> None:
        self._mailbox = mailbox

    def __repr__(self) -> str:
        return f"<Ref to {self._mailbox!r}>"

    @property
    def name(self) -> str:
        return self._mailbox.name

    def statistics(self) -> MailboxStatistics:
        return self._mailbox.statistics()

    async def ask(self, message: Question[Answer], *, deadline: float = math.inf) -> Answer:
        """Send the message and wait for its answer; `deadline` is a time of Trio's clock.

        Raises `MailboxFull` and `ActorStopped` before anything is sent, `AskTimeout` when the deadline passes,
        `ActorCrashed` or `ActorStopped` when the actor ends first, and whatever `Refusal` the actor gives.
        There is no checkpoint but the wait itself: whoever gets an answer has it before it can be cancelled.
        """
        if deadline <= trio.current_time():
            raise AskTimeout(f"{self.name}: the deadline had passed before it was asked")
        reply = self._mailbox.post_ask(cast(Any, message))
        if deadline == math.inf or not reply.is_open:
            return cast(Answer, await reply.wait())
        with trio.CancelScope(deadline=deadline):
            return cast(Answer, await reply.wait())
        raise AskTimeout(f"{self.name}: gave no answer before the deadline")

    def ask_nowait(self, message: Question[Answer]) -> Reply[Answer]:
        """Send the message and return the slot of its answer, which is then to be waited for.

        Raises `MailboxFull` and `ActorStopped` as `ask` does.
        """
        return self._mailbox.post_ask(cast(Any, message))

    def tell(self, message: Message) -> None:
        """Send the message and go on."""
        self._mailbox.post_tell(message)

    def offer(self, message: Message) -> bool:
        """Send the message if there is room. False: it was dropped and counted."""
        return self._mailbox.post_offer(message)
