"""How the admin routes reach the whole router: all of its workers, whichever of them is asked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from ucr.views import Gathered, WorkerView


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """Whether a configuration was applied; `generation` is the one that counts now, `problems` say why not."""

    is_applied: bool
    generation: int
    problems: tuple[str, ...] = ()


class Control(Protocol):
    """Answers for all workers. Nothing here raises: what cannot be reached is left out."""

    async def gather(self) -> Gathered:
        """Return fresh views of all workers; of one that does not answer, the last one."""
        ...

    async def reload(self) -> ReloadResult:
        """Read the configuration again, and apply it everywhere or nowhere."""
        ...

    async def clear_cache(self, tag: str | None = None) -> int:
        """Empty the cache of every worker, or forget what has a tag; return how many entries it were."""
        ...


class LocalControl:
    """The control of a router that is one process."""

    def __init__(
        self,
        take_view: Callable[[], Awaitable[WorkerView]],
        clear_cache: Callable[[str | None], Awaitable[int]],
    ) -> None:
        self._take_view = take_view
        self._clear_cache = clear_cache

    async def gather(self) -> Gathered:
        """Return the view of this process."""
        return Gathered((await self._take_view(),))

    async def reload(self) -> ReloadResult:
        """Apply nothing: this process reads its configuration at its start only."""
        generation = (await self._take_view()).generation
        return ReloadResult(False, generation, ("this process reads its configuration at its start only",))

    async def clear_cache(self, tag: str | None = None) -> int:
        """Empty the cache of this process, or forget what has a tag."""
        return await self._clear_cache(tag)
