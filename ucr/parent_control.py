"""The admin routes of a worker: they answer for all workers, and so ask the parent."""

import trio

from actors import ActorError, RemoteRef
from ucr.control import Control, ReloadResult
from ucr.messages import ClearCache, Gather, ReloadNow, ToParent
from ucr.views import Gathered

GATHER_S = 1.0
CLEAR_S = 2.0
RELOAD_S = 60.0


class ParentControl:
    """Asks the parent; while it does not answer, `local` answers for this worker alone."""

    def __init__(self, parent: RemoteRef[ToParent], local: Control) -> None:
        self._parent = parent
        self._local = local

    async def gather(self) -> Gathered:
        """Return the views of all workers and of the parent."""
        try:
            return await self._parent.ask(Gather(), deadline=trio.current_time() + GATHER_S)
        except ActorError:
            return await self._local.gather()

    async def reload(self) -> ReloadResult:
        """Have the configuration read again and applied to all workers, or to none."""
        try:
            return await self._parent.ask(ReloadNow(), deadline=trio.current_time() + RELOAD_S)
        except ActorError as error:
            generation = (await self._local.gather()).workers[0].generation
            return ReloadResult(False, generation, (f"the parent does not answer: {error}",))

    async def clear_cache(self, tag: str | None = None) -> int:
        """Empty the caches of all workers, or forget what has a tag."""
        try:
            return await self._parent.ask(ClearCache(tag), deadline=trio.current_time() + CLEAR_S)
        except ActorError:
            return await self._local.clear_cache(tag)
