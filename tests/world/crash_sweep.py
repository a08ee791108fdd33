"""The crash sweep: an actor crashes at every one of its messages in turn, and everybody is answered all the same.

The scenario runs once while the messages that its actor takes are counted. Then it runs again for every n, and the
actor raises as it takes its n-th message.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from trio.testing import wait_all_tasks_blocked

from actors import Mailbox
from ucr.stress.clock import run_jumping
from ucr.stress.saboteur import Saboteur
from ucr.stress.scheduling import deterministic_scheduling


@dataclass(frozen=True, slots=True)
class CrashScenario:
    """`act` works with the actor of the mailbox; `check` asserts, when everything has come to rest."""

    mailbox: Mailbox[Any]
    act: Callable[[], Awaitable[None]]
    check: Callable[[], Awaitable[None]]


MakeCrashScenario = Callable[[], AbstractAsyncContextManager[CrashScenario]]
CrashScenarioIterator = AsyncIterator[CrashScenario]


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
