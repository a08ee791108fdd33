"""The parent's part of the live feed: what one worker logs reaches the listeners of another, and its own log all.

Whoever listens says so each second; when nobody has for a while, nothing is passed on and nothing overheard.
"""

from collections.abc import Callable, Hashable, Iterable
from typing import Protocol

import trio

from ucr.messages import Lines, Listening, Tune
from ucr.observe.feed import LEASE_S, Overhear, deaf


class Hearer(Hashable, Protocol):
    """A worker, as the hub needs it."""

    def pass_on(self, message: Tune | Lines) -> None: ...


class Hub:
    """Knows which workers have listeners. `everybody` are the workers there are."""

    def __init__(self, everybody: Callable[[], Iterable[Hearer]], overhear: Overhear = deaf) -> None:
        self.overhear = overhear
        self._everybody = everybody
        self._until: dict[Hearer, float] = {}

    def __repr__(self) -> str:
        return f"<Hub of {len(self._until)} workers with listeners>"

    def hear(self, worker: Hearer, message: Listening | Lines) -> None:
        """Do what follows from what a worker says."""
        if isinstance(message, Lines):
            self._spread(message, worker)
            return
        if not self._until:
            self.overhear(self._hear_parent)
        self._until[worker] = trio.current_time() + LEASE_S
        for other in self._everybody():
            if other is not worker:
                other.pass_on(Tune())

    def _hear_parent(self, line: bytes) -> None:
        self._spread(Lines((line.rstrip(b"\n").decode(),)), None)

    def _spread(self, lines: Lines, sender: Hearer | None) -> None:
        now_s = trio.current_time()
        present = set(self._everybody())
        for worker, until_s in tuple(self._until.items()):
            if until_s < now_s or worker not in present:
                del self._until[worker]
            elif worker is not sender:
                worker.pass_on(lines)
        if not self._until:
            self.overhear(None)
