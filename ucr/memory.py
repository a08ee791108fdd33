"""The memory of this process: how much it takes, how much there is, and how what is not used is given back.

How this works. What lives as long as the process is taken out of the collector's sight once it is there
(`settle`): a full pass over it takes 15 ms, in which nobody is answered, and finds nothing. Requests make next to
no cycles, so that the young passes may be rarer than Python's, and full ones are left to moments in which nobody
waits (`Monitor`): what belongs to 500 open streams takes such a pass 100 ms and more. The C library is told as well to
give free pages back; by itself it keeps what lies below the topmost block in use, which after a peak is most of it.
That takes a millisecond.
"""

import ctypes
import gc
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import trio

from ucr.config.model import Config
from ucr.logs import Log
from ucr.pressure import Pressure, share_bytes
from ucr.views import RequestCount

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MEMINFO = Path("/proc/meminfo")
_GROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""The limit of this container, of version 2 and of version 1."""

YOUNG, MIDDLE, OLD = 5_000, 20, 100
"""Python's are (700, 10, 10): there, a worker spends 3 % of its time in passes, here 0.2 %. A middle pass looks at 100,000
objects, which takes 30 ms: with fewer, one would come while 100 streams begin, and each first event waits for it."""

YOUNG_EACH, YOUNG_MOST = 50, 50_000
"""So much more with each open request, which has a hundred objects and more: with 1,000 of them, whose number goes up and
down, the collector would look at all that begins, 7 % of the worker's time."""

GROWTH_BYTES = 24 * 1024 * 1024
"""So much more than the last time is worth giving pages back, although somebody waits: many streams that begin at one
time leave the bodies of their requests behind."""

LOOK_S = 1.0
TIDY_S = 10.0
"""From one tidying to the next there is at least this much time."""

AFTERWARDS_S = 60.0
"""After growth, what has grown is in use; so long after it, a full pass finds that unused."""

FEW_REQUESTS = 100
"""With no more than so many open ones a full pass holds up nobody for long."""


def rss_bytes() -> int:
    """Return the resident memory of this process; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE_BYTES
    except (OSError, IndexError, ValueError):
        return 0


def machine_bytes(meminfo: Path = _MEMINFO, groups: tuple[Path, ...] = _GROUPS) -> int | None:
    """Return how much memory the machine has, or the container where that is less; None when nobody tells."""
    known = [limit for limit in (_meminfo_bytes(meminfo), *map(_group_bytes, groups)) if limit is not None]
    return min(known, default=None)


def _meminfo_bytes(path: Path) -> int | None:
    try:
        lines = dict(line.split(":", 1) for line in path.read_text("ascii").splitlines())
        return int(lines["MemTotal"].split()[0]) * 1024
    except (OSError, KeyError, IndexError, ValueError):
        return None


def _group_bytes(path: Path) -> int | None:
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):  # "max" is no limit
        return None


def limit_bytes(config: Config, workers: int) -> int:
    """Return how much one of so many workers may take."""
    if config.memory.worker_limit_bytes is not None:
        return config.memory.worker_limit_bytes
    machine = machine_bytes()
    return sys.maxsize if machine is None else share_bytes(machine, workers)


def settle() -> None:
    """Take what is there now for lasting: the collector does not look at it again, and at the rest less often."""
    gc.collect()
    gc.freeze()
    set_pace(0)


def set_pace(open_requests: int) -> None:
    """Have the collector look as often as so many open requests make sensible."""
    young = min(YOUNG + YOUNG_EACH * open_requests, YOUNG_MOST)
    gc.set_threshold(young, max(1, YOUNG * MIDDLE // young), OLD)


def trim() -> None:
    """Give the system back what is free."""
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc alone has it
    if malloc_trim is not None:
        malloc_trim(0)


def tidy() -> None:
    """Free what is no longer used, which takes a full pass of the collector, and give it back."""
    gc.collect()
    trim()


class Monitor:
    """Looks after the memory of a worker: says how short it is, and tidies up when nobody waits, or it has grown or is short.

    `requests` counts the worker's. `let_go` is called when memory begins to be short: it gives up what is kept for
    later.
    """

    def __init__(
        self,
        pressure: Pressure,
        log: Log,
        requests: Callable[[], RequestCount],
        let_go: Callable[[], Awaitable[object]],
        take: Callable[[], int] = rss_bytes,
        tidy: Callable[[], None] = tidy,
        trim: Callable[[], None] = trim,
        set_pace: Callable[[int], None] = set_pace,
    ) -> None:
        self._pressure = pressure
        self._log = log
        self._requests = requests
        self._let_go = let_go
        self._take = take
        pressure.take = take  # for whoever is about to begin what is large, between two looks
        self._tidy = tidy
        self._trim = trim
        self._set_pace = set_pace
        self._tidied_at = trio.current_time()
        self._tidied_after = 0
        self._tidied_bytes = take()
        self._had_grown = False

    def __repr__(self) -> str:
        return f"<Monitor of {self._pressure!r}>"

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            await trio.sleep(LOOK_S)
            was_tight = self._pressure.is_tight
            self._look()
            if self._pressure.is_tight and not was_tight:
                await self._let_go()

    def _look(self) -> None:
        self._set_pace(self._requests().open)
        pressure, before = self._pressure, self._pressure.level
        pressure.look(self._take())
        tidy = self._helpful()
        if tidy is not None:
            tidy()
            pressure.look(self._take())
            self._tidied_bytes = pressure.rss_bytes
        if pressure.level != before:
            told = self._log.warning if pressure.is_tight else self._log.info
            told(
                "memory.pressed",
                pressure=pressure.level,
                rss_bytes=pressure.rss_bytes,
                limit_bytes=pressure.limit_bytes,
            )

    def _helpful(self) -> Callable[[], None] | None:
        """Return what is to be done: a full pass when memory is short, or few wait and something may be free; less after growth."""
        now, requests = trio.current_time(), self._requests()
        ended, since_s = requests.started - requests.open, now - self._tidied_at
        is_idle = requests.open == 0 and ended > self._tidied_after
        has_grown = self._pressure.rss_bytes > self._tidied_bytes + GROWTH_BYTES
        is_afterwards = self._had_grown and since_s >= AFTERWARDS_S and requests.open <= FEW_REQUESTS
        is_due = is_idle or is_afterwards or self._pressure.is_tight
        if since_s < TIDY_S or not (is_due or has_grown):
            return None
        self._tidied_at, self._tidied_after = now, ended
        self._had_grown = not is_idle and (has_grown or (self._had_grown and not is_afterwards))
        return self._tidy if is_due else self._trim
