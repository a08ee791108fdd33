"""Faults that strike a router under load, one after the other, and how long each took to be over.

A request may be lost or fail only for what was in flight where a fault struck: in a worker that was killed, or at a
provider that fell. `Storm.excuses` says of a request whether it was.
"""

import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import trio

from ucr.stress.real.load import Load, Shot, until
from ucr.stress.real.outages import leave
from ucr.stress.real.processes import DEADLY, Kill, are_gone, kill_worker, was_in_flight
from ucr.stress.real.router import Router, send
from ucr.stress.real.run import Run
from ucr.stress.real.upstream import Upstream

PAUSE_S = 2.0
"""Between the end of a fault and the next one."""
OVER_S = 30.0
"""A fault that takes longer has failed its run."""
STOPPED_S = 2.0
FALLEN_S = 3.0
LEAVERS = 20
FELL_GRACE_S = 0.5
"""What a provider had when it fell ends within this time."""


Strike = Callable[["Storm"], Awaitable[None]]


@dataclass(slots=True)
class Storm:
    """What strikes one router. `took_s` has how long each fault of a kind took until the router was as before."""

    run: Run
    router: Router
    load: Load
    upstreams: tuple[Upstream, Upstream]
    dice: random.Random
    kinds: Mapping[str, Strike]
    took_s: dict[str, list[float]] = field(default_factory=dict)
    kills: list[Kill] = field(default_factory=list)
    fell_at: list[float] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)

    async def blow(self, kinds: tuple[str, ...]) -> None:
        """Let these kinds of faults strike in turn until this is cancelled."""
        while kinds:
            for kind in kinds:
                await trio.sleep(PAUSE_S)
                if kind != "leavers":
                    self.run.timeline.mark(kind)
                began = trio.current_time()
                with trio.fail_after(OVER_S):
                    await self.kinds[kind](self)
                self.took_s.setdefault(kind, []).append(trio.current_time() - began)

    def excuses(self, shot: Shot) -> bool:
        """True for a request that was in flight where a fault struck."""
        is_cut = any(shot.sent_at <= at and at <= shot.finished_at <= at + FELL_GRACE_S for at in self.fell_at)
        return is_cut or any(was_in_flight(shot, kill) for kill in self.kills)


async def _kill(storm: Storm) -> None:
    slot = storm.dice.choice(sorted(storm.router.workers()))
    storm.kills.append(await kill_worker(storm.router, storm.load, slot, storm.dice.choice(DEADLY)))


async def _reload(storm: Storm) -> None:
    since, text = len(storm.router.log), storm.router.file.read_text("utf-8")
    fresh = storm.router.file.with_suffix(".new")
    fresh.write_text(f"{text}\n# {storm.dice.random()}\n", "utf-8")
    fresh.replace(storm.router.file)
    await storm.router.wait_event("config.applied", since)


async def _replace(storm: Storm) -> None:
    old = set(storm.router.workers().values())
    storm.router.signal(signal.SIGUSR2)
    await until(lambda: are_gone(storm.router, old))


async def _stop(storm: Storm) -> None:
    pid = storm.dice.choice(sorted(storm.router.workers().values()))
    send(pid, signal.SIGSTOP)
    try:
        await trio.sleep(STOPPED_S)
    finally:
        send(pid, signal.SIGCONT)


async def _fall(storm: Storm) -> None:
    storm.fell_at.append(trio.current_time())
    first, _ = storm.upstreams
    first.fall()
    try:
        await trio.sleep(FALLEN_S)
    finally:
        first.rise()


async def _leave(storm: Storm) -> None:
    seen = await leave(storm.run, storm.router, LEAVERS, *storm.upstreams)
    storm.left["seen"] += len(seen)
    storm.left["unseen"] += LEAVERS - len(seen)


KINDS: Mapping[str, Strike] = MappingProxyType(
    {
        "kills": _kill,
        "reloads": _reload,
        "replacements": _replace,
        "stops": _stop,
        "outages": _fall,
        "leavers": _leave,
    }
)
"""Faults by the names that `--faults` knows."""
