"""The crash sweep: an actor crashes at every one of its messages in turn, and everybody is answered all the same.

The scenario runs once while the messages that its actor takes are counted. Then it runs again for every n, and the
actor raises as it takes its n-th message.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from trio.testing import wait_all_tasks_blocked

from actors import Mailbox, Reply
from actors.mailbox import AtOnce
from ucr.stress.clock import run_jumping
from ucr.stress.scheduling import deterministic_scheduling


class Sabotage(Exception):
    """What the actor is made to raise."""


@dataclass(frozen=True, slots=True)
class CrashScenario:
    """`act` works with the actor of the mailbox; `check` asserts, when everything has come to rest."""

    mailbox: Mailbox[Any]
    act: Callable[[], Awaitable[None]]
    check: Callable[[], Awaitable[None]]


MakeCrashScenario = Callable[[], AbstractAsyncContextManager[CrashScenario]]
CrashScenarioIterator = AsyncIterator[CrashScenario]


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


def crash_sweep(make_scenario: MakeCrashScenario) -> int:
    """Sweep over all messages of the actor; return how many there are.

    A mailbox at which an actor waits already gives it one more message before the first that counts, or all that it
    takes at once until it is woken: a scenario has to wake such an actor.
    """
    messages = _run_once(make_scenario, None)
    for number in range(1, messages + 1):
        _run_once(make_scenario, number)
    return messages


def _run_once(make_scenario: MakeCrashScenario, crash_at: int | None) -> int:
    taken = 0

    async def main() -> None:
        nonlocal taken
        async with make_scenario() as scenario:
            saboteur = Saboteur(scenario.mailbox, crash_at)
            await scenario.act()
            await wait_all_tasks_blocked()
            taken = saboteur.stop()
            await scenario.check()

    with deterministic_scheduling():
        run_jumping(main)
    return taken
