"""The place of one who listens to the live feed: what waits for it, bounded by bytes."""

from collections import deque

import trio

LIMIT_BYTES = 256 * 1024
"""How much may wait for a listener; one that is further behind has lost its place."""


class Listener:
    """Takes texts from whoever tells them, who never waits, and gives them to one task."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._waiting: deque[str] = deque()
        self._bytes = 0
        self._news = trio.Event()
        self.is_too_slow = False
        self.is_closed = False

    def __repr__(self) -> str:
        state = "too slow" if self.is_too_slow else "closed" if self.is_closed else "listening"
        return f"<Listener, {state}, {self._bytes} bytes wait>"

    def offer(self, text: str) -> None:
        """Let a text wait, or find that the listener is too slow: then nothing waits for it any more."""
        if self.is_too_slow or self.is_closed:
            return
        self._bytes += len(text.encode())
        if self._bytes > self._limit_bytes:
            self.is_too_slow, self._bytes = True, 0
            self._waiting.clear()
        else:
            self._waiting.append(text)
        self._news.set()

    def close(self) -> None:
        """Let it have what waits, and no more."""
        self.is_closed = True
        self._news.set()

    async def take(self) -> str | None:
        """Return the next text, in the order in which they came; None when there are no more to come."""
        while not self._waiting:
            if self.is_too_slow or self.is_closed:
                return None
            self._news = trio.Event()
            await self._news.wait()
        text = self._waiting.popleft()
        self._bytes -= len(text.encode())
        return text
