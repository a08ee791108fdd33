"""Who watches clients while they wait, where the answer takes long.

How this works: a watch for each request would cost more than most else in the lane. So requests that wait for
their answer are noted, and one ticking task starts to watch those that are still there after a while. It stops
ticking when there is nothing to do. The pump that reads streams hears the clients as well; a task watches only where
there is none.
"""

from collections.abc import Awaitable, Callable

import trio

from actors import Pump
from ucr.lane.line import Act, Line

AFTER_S = 0.05
"""How long an answer may take unwatched: far less than anybody could notice."""
_IDLE_TICKS = 20


class Watch:
    """The connections whose requests wait for an answer and are not watched yet."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        self._waiting: dict[Line, float] = {}
        self._parked: trio.Event | None = None
        self._begin: Callable[[Act], None] | None = None

    def add(self, line: Line) -> None:
        """Watch this connection's client, if its answer takes long."""
        self._waiting[line] = line.now()
        if self._parked is not None:
            self._parked.set()
            self._parked = None

    def discard(self, line: Line) -> None:
        """Forget a connection whose answer is out."""
        self._waiting.pop(line, None)

    def spawn(self, act: Act) -> None:
        """Run something beside the answers, in the nursery of whoever ticks, if somebody does."""
        if self._begin is not None:
            self._begin(act)

    async def run(self, contained: Callable[[Act], Awaitable[None]]) -> None:
        """Tick until cancelled. What is run beside an answer is `contained`: it raises nothing."""
        idle_ticks = 0
        async with trio.open_nursery() as nursery:
            self._begin = lambda act: nursery.start_soon(contained, act)
            try:
                while True:
                    idle_ticks = 0 if self._waiting else idle_ticks + 1
                    if idle_ticks > _IDLE_TICKS:
                        self._parked = trio.Event()
                        await self._parked.wait()
                    await trio.sleep(AFTER_S)
                    self._start_due(trio.current_time() - AFTER_S)
            finally:
                self._begin = None  # the nursery takes nobody in, and who is being answered is cancelled, too

    def _start_due(self, since_s: float) -> None:
        due = [line for line, began_s in self._waiting.items() if began_s <= since_s]
        for line in due:
            del self._waiting[line]
            line.begin_watch(self._pump, self.spawn)
