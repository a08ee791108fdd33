"""A bounded way for bytes from the task that answers to the one that reads the answer."""

import trio

from ucr.errors import ClientGone

LIMIT_BYTES = 64 * 1024
"""How much may wait to be read before the writer does."""


class Pipe:
    """Parts go in at one end and come out joined at the other; `is_whole` says that the writer ended it properly."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._held_bytes = 0
        self._news = trio.Event()
        self._room = trio.Event()
        self._has_ended = False
        self._is_left = False
        self.is_whole = False

    def __repr__(self) -> str:
        return f"<Pipe: {self._held_bytes} bytes wait, ended: {self._has_ended}>"

    @property
    def has_room(self) -> bool:
        """Whether a writer need not wait. Where nobody reads there is none, and waiting for it ends at once."""
        return not self._is_left and self._held_bytes < LIMIT_BYTES

    def put(self, data: bytes) -> None:
        """Add a part, whether there is room or not; it is dropped when nobody will read it."""
        if not self._is_left:
            self._parts.append(data)
            self._held_bytes += len(data)
            self._news.set()

    async def wait_room(self) -> None:
        """Return when there is room; raise `ClientGone` when the reader has left instead, and has not cancelled this."""
        while not (self.has_room or self._is_left):
            self._room = trio.Event()
            await self._room.wait()
        if self._is_left:
            await trio.lowlevel.checkpoint_if_cancelled()
            raise ClientGone("the answer was closed before its end")

    def end(self, *, whole: bool) -> None:
        """Add nothing more."""
        self._has_ended, self.is_whole = True, whole
        self._news.set()

    def leave(self) -> None:
        """Read nothing more."""
        self._is_left = True
        self._parts.clear()
        self._held_bytes = 0
        self._room.set()

    async def receive(self) -> bytes:
        """Return everything that waits, at least one byte; b"" at the end."""
        while not self._parts and not self._has_ended:
            self._news = trio.Event()
            await self._news.wait()
        data = b"".join(self._parts)
        self._parts.clear()
        self._held_bytes = 0
        self._room.set()
        return data
