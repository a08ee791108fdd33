"""Makes an actor crash at a message of its own."""

from functools import partial
from typing import Any

from actors import Mailbox, Reply
from actors.mailbox import AtOnce


class Sabotage(Exception):
    """What the actor is made to raise."""


class Saboteur:
    """Counts the messages that are taken from a mailbox, and makes its actor raise at one of them."""

    def __init__(self, mailbox: Mailbox[Any], crash_at: int | None) -> None:
        self.taken = 0
        self._crash_at = crash_at
        self._take = mailbox.take
        mailbox.take = self.take  # type: ignore[method-assign]

    def stop(self) -> int:
        """Let the actor be; return how many messages were taken."""
        self._crash_at = None
        return self.taken

    async def take(self, at_once: AtOnce[Any] | None = None) -> tuple[Any, Reply[Any]]:
        """Count what the actor takes, by itself or in the task of a sender."""
        taken = await self._take(None if at_once is None else partial(self._at_once, at_once))
        if (error := self._count()) is not None:
            raise error
        return taken

    def _at_once(self, at_once: AtOnce[Any], message: Any, reply: Reply[Any]) -> Exception | None:
        return self._count() or at_once(message, reply)

    def _count(self) -> Sabotage | None:
        self.taken += 1
        is_fatal = self.taken == self._crash_at
        return Sabotage(f"the sweep crashes the actor at its message {self.taken}") if is_fatal else None
