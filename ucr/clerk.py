"""The clerk of a worker: notes what each request used, and tells it to whoever keeps the books, once a second."""

from contextlib import suppress

import trio

from actors import ActorError, Ref
from actors.supervisor import Inside, Restart
from ucr.books import BooksMessage
from ucr.record import Record
from ucr.usage import Received, UsageRow, Used, row_of

TELL_S = 1.0
MAX_ROWS = 5_000
"""How many requests may wait for books that do not hear: about 2.5 MB. More are dropped and counted."""
LAST_S = 1.0
"""How long the end of a worker waits until the books have everything."""


class Clerk:
    """A supervised child; `books` may be in another process."""

    essential = False
    restart: Restart = "permanent"

    def __init__(self, books: Ref[BooksMessage], name: str = "clerk") -> None:
        self.name = name
        self.dropped = 0
        self._books = books
        self._rows: list[UsageRow] = []

    def __repr__(self) -> str:
        return f"<Clerk with {len(self._rows)} rows>"

    def note(self, record: Record, unix_s: float) -> None:
        """Note a request that has ended."""
        if len(self._rows) < MAX_ROWS:
            self._rows.append(row_of(record, unix_s))
        else:
            self.dropped += 1

    async def run(self) -> None:
        """Tell what was noted, once a second, for ever."""
        while True:
            await trio.sleep(TELL_S)
            self._tell()

    def _tell(self) -> None:
        if self._rows and self._books.offer(Used(tuple(self._rows))):
            self._rows.clear()

    def crashed(self, error: BaseException | None) -> None:
        """Nothing to clear: what was noted outlives the incarnations."""

    def gave_up(self) -> None:
        """Nothing more is told; what is noted is bounded."""

    async def drain(self) -> None:
        """Tell the rest, and wait a moment until it has come."""
        self._tell()
        with suppress(ActorError):
            await self._books.ask(Received(), deadline=trio.current_time() + LAST_S)

    async def aclose(self) -> None:
        """Nothing is held open."""

    def inside(self) -> Inside:
        """Nothing: a clerk is no actor."""
        return None
