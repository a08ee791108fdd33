"""An actor: state of its own, changed by one message at a time.

`receive` is an ordinary function, so that no actor can block its mailbox: what cannot be answered now is kept
with its reply slot and answered when another message makes that possible.
"""

import math
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import trio

from actors.mailbox import Mailbox, MailboxStatistics, Reply
from actors.ref import Ref
from actors.supervisor import Restart

Message = TypeVar("Message")
Received = TypeVar("Received", contravariant=True)


class Actor(Protocol[Received]):
    """One incarnation of an actor."""

    def receive(self, message: Received, reply: Reply[Any]) -> None:
        """Handle a message. Whatever this raises ends the incarnation; a refusal is a reply, not an error."""
        ...


async def serve(mailbox: Mailbox[Message], actor: Actor[Message]) -> None:
    """Hand every message of the mailbox to the actor, until cancelled or until the actor raises."""
    while True:
        message, reply = await mailbox.take()
        actor.receive(message, reply)


class ActorChild(Generic[Message]):
    """An actor in the form in which a supervisor runs it: the mailbox stays, the incarnations change."""

    tidy_every_s = math.inf

    def __init__(
        self,
        mailbox: Mailbox[Message],
        make_actor: Callable[[], Actor[Message]],
        *,
        essential: bool = False,
        restart: Restart = "permanent",
    ) -> None:
        self.mailbox = mailbox
        self.ref = Ref(mailbox)
        self.essential = essential
        self.restart: Restart = restart
        self._make_actor = make_actor

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.mailbox!r}>"

    @property
    def name(self) -> str:
        return self.mailbox.name

    def incarnate(self) -> Actor[Message]:
        """Make the actor of the next incarnation."""
        return self._make_actor()

    async def run(self) -> None:
        """Run one incarnation, and `tidy` between messages every `tidy_every_s` seconds."""
        actor = self.incarnate()
        while True:
            with trio.move_on_after(self.tidy_every_s):
                await serve(self.mailbox, actor)
            await self.tidy()

    async def tidy(self) -> None:
        """Let go of what has grown old. It must not wait for anybody: the mailbox stands still meanwhile."""

    def crashed(self, error: BaseException | None) -> None:
        """Fail the asks that the dead incarnation had in hand."""
        self.mailbox.fail_taken(error)

    def gave_up(self) -> None:
        """Answer everybody, now and from now on, that there will be no further incarnation."""
        self.mailbox.close()

    async def drain(self) -> None:
        """Return when nothing has to be waited for: at once, for an actor without open work."""

    async def aclose(self) -> None:
        """Let go of everything; the loop has ended before."""
        self.mailbox.close()

    def inside(self) -> MailboxStatistics:
        return self.mailbox.statistics()
