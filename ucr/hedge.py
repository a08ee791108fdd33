"""Two attempts at one answer: the first good head wins, and the other attempt is cancelled.

A hedge is begun when an upstream stays silent for longer than most do (Dean and Barroso, "The Tail at Scale").
Nothing of the loser ever reaches the client: whoever wins delivers alone.
"""

from collections.abc import Callable

import trio

from ucr.attempt import Attempt


class Race:
    """Runs attempts side by side; `entrants` are all that were begun."""

    def __init__(self) -> None:
        self.entrants: list[Attempt] = []
        self._scopes: dict[Attempt, trio.CancelScope] = {}
        self._winner: Attempt | None = None
        self._decided = trio.Event()

    def claim(self, attempt: Attempt) -> bool:
        """Let the first one that asks deliver its answer, and cancel the other."""
        if self._winner is None:
            self._winner = attempt
            self._decided.set()
            for other, scope in self._scopes.items():
                if other is not attempt:
                    self._cancel(other, scope)
        return self._winner is attempt

    def _cancel(self, attempt: Attempt, scope: trio.CancelScope) -> None:
        attempt.lose()
        scope.cancel(reason="another candidate has answered first")

    async def run(self, attempt: Attempt) -> None:
        """Run one attempt; its end decides the race as well, if no other runs."""
        self.entrants.append(attempt)
        with trio.CancelScope() as scope:
            self._scopes[attempt] = scope
            if self._winner is not None:  # since it was decided that there shall be another
                self._cancel(attempt, scope)
            await attempt.run(self.claim)
        del self._scopes[attempt]
        self._decided.set()

    async def wait_decided(self) -> None:
        """Return when an attempt has won, or ended."""
        await self._decided.wait()

    @property
    def is_decided(self) -> bool:
        return self._decided.is_set()

    @property
    def failed(self) -> list[Attempt]:
        """Return the attempts that failed, in the order in which they were begun."""
        return [attempt for attempt in self.entrants if attempt.error is not None]

    @property
    def was_served(self) -> bool:
        """Whether the client has its answer."""
        return self._winner is not None and self._winner.error is None


async def hedged(first: Attempt, second: Callable[[], Attempt | None], after_s: float) -> Race:
    """Run an attempt, and a second one beside it if no head has come after `after_s` and there is one."""
    race = Race()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(race.run, first)
        with trio.move_on_after(after_s):
            await race.wait_decided()
        if not race.is_decided and (other := second()) is not None:
            nursery.start_soon(race.run, other)
    return race
