"""What is to happen later and mostly never does: one task for any number of deadlines.

How this works. A cancel scope costs Trio several microseconds, and a request has many deadlines, nearly none of
which ever passes. Here a deadline is an entry in a table: to set, move or clear it costs one store into a
dictionary. One task sleeps until the earliest that it knows of, and then looks through the table. Whoever sets an
earlier one moves the end of that sleep.
"""

import math
from collections.abc import Callable

import trio

from actors.clock import Now, clock

Ring = Callable[[], None]
"""What is called when its time has come. It must neither wait nor fail; it may set and clear timers."""


class Timers:
    """Calls what is due. Each function has one time; bound methods of one object are the same function.

    `now` tells the time by which they ring.
    """

    __slots__ = ("_at", "_sleep", "_wake_at", "now")

    def __init__(self) -> None:
        self._at: dict[Ring, float] = {}
        self._wake_at = math.inf
        self.now: Now = clock()
        self._sleep: trio.CancelScope | None = None

    def __repr__(self) -> str:
        return f"<Timers: {len(self._at)} set>"

    def set(self, ring: Ring, at: float) -> None:
        """Call `ring` at this time of Trio's clock, and at no other that was set before."""
        self._at[ring] = at
        if at < self._wake_at:
            self._wake_at = at
            if self._sleep is not None:
                self._sleep.deadline = at

    def clear(self, ring: Ring) -> None:
        """Call it no more."""
        self._at.pop(ring, None)

    async def run(self) -> None:
        """Call what is due, until cancelled."""
        while True:
            self._wake_at = min(self._at.values(), default=math.inf)
            with trio.CancelScope(deadline=self._wake_at) as self._sleep:
                await trio.sleep_forever()
            self._ring_due(self.now())

    def _ring_due(self, now: float) -> None:
        for ring in [ring for ring, at in self._at.items() if at <= now]:
            # What was called before may have cleared this one, or moved it.
            if self._at.get(ring, math.inf) <= now:
                del self._at[ring]
                ring()
