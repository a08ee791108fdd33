"""The request bodies of a worker: what they may take together, and how coded ones are decoded."""

import trio

from ucr.body import SLOW_CODED_BYTES, decoded
from ucr.budget import Budget, Hold

_MOST_DECODING = 2
"""So many coded bodies are decoded beside the loop at one time: each may grow to the limit before it counts."""


class Bodies:
    """What both lanes of a worker share."""

    def __init__(self, limit_bytes: int) -> None:
        self.budget = Budget(limit_bytes)
        self._decoding = trio.CapacityLimiter(_MOST_DECODING)

    def __repr__(self) -> str:
        return f"<Bodies: {self.budget.held_bytes} of {self.budget.limit_bytes} bytes>"

    async def decode(self, body: bytes, coding: str, limit_bytes: int, hold: Hold) -> bytes:
        """Undo a content coding, and hold what comes of it; raise as `ucr.body.decoded` and `Hold.resize` do.

        What may take long is done in a thread.
        """
        if len(body) < SLOW_CODED_BYTES:
            result = decoded(body, coding, limit_bytes)
        else:
            result = await trio.to_thread.run_sync(decoded, body, coding, limit_bytes, limiter=self._decoding)
        hold.resize(len(result))
        return result
