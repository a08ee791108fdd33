"""A generation: a router, and the requests that began with it and go on with it to their end."""

import trio

from ucr.call import Router


class Generation:
    """What was published by one reload. Its providers may go when nobody is left in it."""

    def __init__(self, router: Router, number: int = 1) -> None:
        self.router = router
        self.number = number
        self._visits = 0
        self._left: trio.Event | None = None

    def __repr__(self) -> str:
        return f"<Generation {self.number}: {self._visits} requests>"

    @property
    def visits(self) -> int:
        """How many requests are open that began with it."""
        return self._visits

    def enter(self) -> None:
        """Count a request, until it leaves."""
        self._visits += 1

    def leave(self) -> None:
        """Count a request no longer."""
        self._visits -= 1
        if self._left is not None and not self._visits:
            self._left.set()

    async def wait_left(self) -> None:
        """Return when no request is left in it. Only one that has been succeeded stays empty."""
        while self._visits:
            if self._left is None or self._left.is_set():
                self._left = trio.Event()
            await self._left.wait()
