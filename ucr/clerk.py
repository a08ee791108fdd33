"""The clerk of a worker: is given something of each request, and tells it to whoever keeps it, once a second."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

import trio

from actors import ActorError, Ref
from actors.supervisor import Inside, Restart
from ucr.usage import Received

TELL_S = 1.0
LAST_S = 1.0
"""How long the end of a worker waits until the keeper has everything."""
PART_BYTES = 1024 * 1024
PART_NOTES = 256
"""So much and so many are told in one message, or what was noted together: to write them out keeps the loop meanwhile."""

Note = TypeVar("Note")


class Clerk(Generic[Note]):
    """A supervised child. `keeper` may be in another process.

    `message` makes what is told of several notes. Requests have their turns between two messages. Of notes that cannot be
    told, more than `max_bytes` are dropped and counted.
    """

    essential = False
    restart: Restart = "permanent"

    def __init__(
        self,
        keeper: Ref[Any],
        name: str,
        message: Callable[[tuple[Note, ...]], object],
        max_bytes: int,
    ) -> None:
        self.name = name
        self.dropped = 0
        self._keeper = keeper
        self._message = message
        self._max_bytes = max_bytes
        self._noted: deque[tuple[Sequence[Note], int]] = deque()
        self._bytes = 0

    def __repr__(self) -> str:
        return f"<Clerk {self.name} with {sum(len(notes) for notes, _ in self._noted)} notes>"

    def note(self, notes: Sequence[Note], size_bytes: int) -> None:
        """Note something of requests that have ended, all of which takes so much."""
        if self._bytes + size_bytes <= self._max_bytes:
            self._noted.append((notes, size_bytes))
            self._bytes += size_bytes
        else:
            self.dropped += len(notes)

    async def run(self) -> None:
        """Tell what was noted, once a second, for ever."""
        while True:
            await trio.sleep(TELL_S)
            while self._tell():
                await trio.lowlevel.checkpoint()

    def _tell(self) -> bool:
        """Tell one part of what is noted; return whether there was any, and the keeper took it."""
        if not self._noted:
            return False
        part: list[Note] = []
        size = count = 0
        for notes, size_bytes in self._noted:
            if part and (size + size_bytes > PART_BYTES or len(part) + len(notes) > PART_NOTES):
                break
            part += notes
            size += size_bytes
            count += 1
        if not self._keeper.offer(self._message(tuple(part))):
            return False
        self._bytes -= size
        for _ in range(count):
            self._noted.popleft()
        return True

    def crashed(self, error: BaseException | None) -> None:
        """Nothing to clear: what was noted outlives the incarnations."""

    def gave_up(self) -> None:
        """Nothing more is told; what is noted is bounded."""

    async def drain(self) -> None:
        """Tell the rest, and wait a moment until it has come."""
        while self._tell():
            await trio.lowlevel.checkpoint()
        with suppress(ActorError):
            await self._keeper.ask(Received(), deadline=trio.current_time() + LAST_S)

    async def aclose(self) -> None:
        """Nothing is held open."""

    def inside(self) -> Inside:
        """Nothing: a clerk is no actor."""
        return None
