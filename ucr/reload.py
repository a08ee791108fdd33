"""Reads the configuration again, and applies it everywhere or nowhere.

One reload runs at a time, and at most two begin in a second. Whoever asks while one waits for its turn shares it.
"""

import time
from collections.abc import Awaitable, Callable

import trio

from ucr.config.model import Config
from ucr.control import ReloadResult
from ucr.errors import ConfigError
from ucr.logs import Log
from ucr.notify import Notifier

PAUSE_S = 0.5

Read = Callable[[], Config]
Reload = Callable[[], Awaitable[ReloadResult]]
Apply = Callable[[Config], Awaitable[int]]


class NotApplied(Exception):
    """A good configuration could not be put to work; the old one goes on."""


class Reloader:
    """`read` gives the configuration or raises `ConfigError`; `apply` puts it to work and returns its number.

    `apply` may raise `ConfigError` and `NotApplied`, with nothing changed. `lock` is held while it works.
    """

    def __init__(self, read: Read, apply: Apply, generation: Callable[[], int], log: Log) -> None:
        self._read = read
        self._apply = apply
        self._generation = generation
        self._log = log
        self.lock = trio.Lock()
        self._ended_at = float("-inf")
        self._next: list[ReloadResult] | None = None

    def __repr__(self) -> str:
        return f"<Reloader, generation {self._generation()}>"

    async def reload(self) -> ReloadResult:
        """Apply what the file says now. Never raises: what is wrong is in the result, and in the log."""
        if self._next is None:
            self._next = []
        mine = self._next
        async with self.lock:
            if not mine:
                await trio.sleep_until(self._ended_at + PAUSE_S)
                self._next = None
                mine.append(await self._reload())
                self._ended_at = trio.current_time()
        return mine[0]

    async def _reload(self) -> ReloadResult:
        try:
            config = self._read()
            generation = await self._apply(config)
        except ConfigError as error:
            for problem in error.problems:
                self._log.error("config.rejected", file=problem.file, key=problem.key, remedy=problem.remedy)
            return ReloadResult(False, self._generation(), tuple(map(str, error.problems)))
        except NotApplied as error:
            self._log.error("config.rejected", error=str(error))
            return ReloadResult(False, self._generation(), (str(error),))
        self._log.info("config.applied", generation=generation, file=config.source)
        return ReloadResult(True, generation)


async def exclusively(lock: trio.Lock, work: Callable[[], Awaitable[None]]) -> None:
    """Do something that may not happen during a reload."""
    async with lock:
        await work()


async def told(notifier: Notifier, reloader: Reloader) -> ReloadResult:
    """Reload, and let the service manager know that it is going on and that it is over."""
    notifier.reloading(time.monotonic())
    result = await reloader.reload()
    notifier.ready(f"generation {result.generation}")
    return result
