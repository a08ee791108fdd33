"""Empties the hot tier of a worker when another machine has cleared what all machines share."""

from collections.abc import Callable

import trio

from actors import ActorError, AwaitClear, CacheMessage, Ref, Restart

AGAIN_S = 0.5
"""After how long the cache is asked again when there is no connection to it."""
_UNKNOWN = -1


class HotFollower:
    """A supervised child with one ask under way, which the cache of all workers answers when it was emptied."""

    name = "ucr:hot-follower"
    essential = False
    restart: Restart = "permanent"

    def __init__(self, cache: Ref[CacheMessage], clear: Callable[[], object]) -> None:
        self._cache = cache
        self._clear = clear
        self._known = _UNKNOWN

    def __repr__(self) -> str:
        return f"<HotFollower of {self._cache.name!r}, {self._known}>"

    async def run(self) -> None:
        """Follow the cache, for ever. One that has begun anew may have missed something, and counts as emptied."""
        while True:
            try:
                known = await self._cache.ask(AwaitClear(self._known))
            except ActorError:
                await trio.sleep(AGAIN_S)
                continue
            if self._known != _UNKNOWN:
                self._clear()
            self._known = known

    def crashed(self, error: BaseException | None) -> None:
        """Nothing to clear."""

    def gave_up(self) -> None:
        """The hot tier follows no more."""

    async def drain(self) -> None:
        """Return at once."""

    async def aclose(self) -> None:
        """Nothing is open."""

    def inside(self) -> None:
        """Return nothing."""
