"""What keeps silent streams alive: one task for all the streams of a process, and none for each of them.

How this works: a stream that is never silent for long needs no task of its own. The keeper looks at all of them
when the first one may be due, and starts the sending beside the answer of those that are. It stops when there was
none for a while.
"""

import trio

from ucr.delivery import PING_S, Delivery


class Keeper:
    """Watches deliveries for silence."""

    def __init__(self) -> None:
        self._kept: dict[Delivery, None] = {}
        self._parked: trio.Event | None = None

    def __repr__(self) -> str:
        return f"<Keeper of {len(self._kept)} streams>"

    def add(self, delivery: Delivery) -> None:
        """Keep a stream alive until `discard`."""
        self._kept[delivery] = None
        if self._parked is not None:
            self._parked.set()
            self._parked = None

    def discard(self, delivery: Delivery) -> None:
        """Leave a stream alone: it has ended, one way or another."""
        self._kept.pop(delivery, None)

    async def run(self) -> None:
        """Keep alive until cancelled."""
        while True:
            had_any = bool(self._kept)
            await trio.sleep_until(self._nudge_all())
            if not had_any and not self._kept:
                self._parked = trio.Event()
                await self._parked.wait()

    def _nudge_all(self) -> float:
        """Let those that are due be kept alive; return when the next one may be.

        No stream that comes, or starts, meanwhile is due earlier than after `PING_S`.
        """
        latest_s = trio.current_time() + PING_S
        return min([latest_s, *(delivery.nudge() for delivery in self._kept)])
