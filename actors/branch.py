"""A branch: a supervisor that is itself a child of a supervisor.

Its children are made anew in every incarnation, by `start_children`: a mailbox of theirs does not outlive the
incarnation. When a child makes it end with `ChildGaveUp`, that is a crash of the branch as of any other child.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import trio

from actors.supervisor import Inside, Restart, Supervisor

StartChildren = Callable[[Supervisor], Awaitable[None]]
OpenSupervisor = Callable[[], AbstractAsyncContextManager[Supervisor]]


class Branch:
    """The child. `open_supervisor` is the function of that name with the strategy and limits bound to it."""

    def __init__(
        self,
        name: str,
        open_supervisor: OpenSupervisor,
        start_children: StartChildren,
        *,
        essential: bool = False,
        restart: Restart = "permanent",
    ) -> None:
        self.name = name
        self.essential = essential
        self.restart: Restart = restart
        self._open_supervisor = open_supervisor
        self._start_children = start_children
        self._supervisor: Supervisor | None = None

    def __repr__(self) -> str:
        return f"<Branch {self.name!r} {self._supervisor!r}>"

    async def run(self) -> None:
        """Open the supervisor of this incarnation, start its children, and stay."""
        async with self._open_supervisor() as self._supervisor:
            await self._start_children(self._supervisor)
            await trio.sleep_forever()

    def crashed(self, error: BaseException | None) -> None:
        """Forget the supervisor that has ended."""
        self._supervisor = None

    def gave_up(self) -> None:
        """Forget the supervisor that has ended; its children are closed."""
        self._supervisor = None

    async def drain(self) -> None:
        """Stop the children in their order."""
        if self._supervisor is not None:
            await self._supervisor.stop_all()

    async def aclose(self) -> None:
        """Do nothing: the children were closed when the incarnation ended."""

    def inside(self) -> Inside:
        return () if self._supervisor is None else self._supervisor.statistics()
