"""The clerk of a worker: notes something of each request, and tells it to whoever keeps it, once a second."""

from collections import deque
from collections.abc import Callable
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
PART_NOTES = 32
"""So much and so many are told in one message, and always one note: what writes them out keeps the loop meanwhile."""

Note = TypeVar("Note")


class Clerk(Generic[Note]):
    """A supervised child. `keeper` may be in another process.

    `message` makes what is told of several notes, which it may write out. Requests have their turns between two messages.
    Of notes that cannot be told, more than `max_bytes` are dropped and counted.
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
        self._notes: deque[tuple[Note, int]] = deque()
        self._bytes = 0

    def __repr__(self) -> str:
        return f"<Clerk {self.name} with {len(self._notes)} notes>"

    def note(self, note: Note, size_bytes: int) -> None:
        """Note something of a request that has ended, which takes so much."""
        if self._bytes + size_bytes <= self._max_bytes:
            self._notes.append((note, size_bytes))
            self._bytes += size_bytes
        else:
            self.dropped += 1

    async def run(self) -> None:
        """Tell what was noted, once a second, for ever."""
        while True:
            await trio.sleep(TELL_S)
            while self._tell():
                await trio.lowlevel.checkpoint()

    def _tell(self) -> bool:
        """Tell one part of what is noted; return whether there was any, and the keeper took it."""
        if not self._notes:
            return False
        part, size = self._part()
        if not self._keeper.offer(self._message(part)):
            return False
        self._bytes -= size
        for _ in part:
            self._notes.popleft()
        return True

    def _part(self) -> tuple[tuple[Note, ...], int]:
        """Return what is told next, and what it takes."""
        part: list[Note] = []
        size = 0
        for note, size_bytes in self._notes:
            if part and (size + size_bytes > PART_BYTES or len(part) == PART_NOTES):
                break
            part.append(note)
            size += size_bytes
        return tuple(part), size

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
