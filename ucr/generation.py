"""A generation: a router, and the requests that began with it and go on with it to their end."""

import trio

from ucr.call import Router
from ucr.patience import Patience


class Generation:
    """What was published by one reload. Its providers may go when nobody is left in it.

    Requests are `open` by their patience. While it `is_awaited` that there are none, whoever takes one out has it `look`.
    """

    def __init__(self, router: Router, number: int = 1) -> None:
        self.router = router
        self.number = number
        self.open: dict[Patience, None] = {}
        self.is_awaited = False
        self._left = trio.Event()

    def __repr__(self) -> str:
        return f"<Generation {self.number}: {len(self.open)} requests>"

    def look(self) -> None:
        """Let those go on who wait, if no request is left."""
        if not self.open:
            self.is_awaited = False
            self._left.set()

    async def wait_left(self) -> None:
        """Return when no request is left in it. Only one that has been succeeded stays empty."""
        while self.open:
            if not self.is_awaited:
                self.is_awaited, self._left = True, trio.Event()
            await self._left.wait()
