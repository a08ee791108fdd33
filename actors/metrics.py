"""Metrics: an actor that counts what others measure.

Measurements are offered: whoever measures never waits, and what finds no room is dropped and counted by the
mailbox. The totals are the child's, not the actor's: a crash loses the one message that caused it, and no
total ever falls.

Whoever measures often has a `Bundler`, which puts what it measures into one message until the actor takes that: the
mailbox then costs nothing for most measurements.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

import trio

from actors.actor import ActorChild
from actors.errors import ActorError
from actors.mailbox import Mailbox, Reply
from actors.ref import Question, Ref
from actors.totals import MetricsSnapshot, Tally, Totals

DRAIN_S = 1.0
GATHER_S = 0.01
"""For how long measurements are gathered after some were counted; who asks for a snapshot waits as long at most."""

BUNDLE = 100
"""How many measurements go in one message; so the mailbox bounds them too."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one event brings; to be offered. One amount for each series of the tally, in its order."""

    tally: Tally
    amounts: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """What several events bring; the actor empties it. Only its `Bundler` makes one, and may add to it until then."""

    entries: list[tuple[Tally, tuple[float, ...]]]


@dataclass(frozen=True, slots=True)
class Snapshot(Question[MetricsSnapshot]):
    """Ask for everything that was measured before this message."""


MetricsMessage = Measured | Bundle | Snapshot


class Bundler:
    """Offers measurements. Those that come before the actor has taken the one before go in the same message.

    A bundle is as good as offered while anything is in it, and is empty once the actor has taken it.
    """

    def __init__(self, metrics: Ref[MetricsMessage]) -> None:
        self._metrics = metrics
        self._entries: list[tuple[Tally, tuple[float, ...]]] = []

    def __repr__(self) -> str:
        return f"<Bundler with {len(self._entries)} measurements that wait>"

    def offer(self, tally: Tally, amounts: tuple[float, ...]) -> None:
        """Offer one amount for each series of the tally, in its order."""
        entries = self._entries
        if not entries or len(entries) >= BUNDLE:
            entries = []
            if not self._metrics.offer(Bundle(entries)):
                return
            self._entries = entries
        entries.append((tally, amounts))


class MetricsActor:
    """One incarnation."""

    def __init__(self, totals: Totals) -> None:
        self._totals = totals

    def receive(self, message: MetricsMessage, reply: Reply[Any]) -> None:
        match message:
            case Measured(tally=tally, amounts=amounts):
                self._totals.add_up(tally, amounts)
            case Bundle(entries=entries):
                self._take(entries)
            case Snapshot():
                reply.answer(self._totals.snapshot())
            case other:
                assert_never(other)

    def _take(self, entries: list[tuple[Tally, tuple[float, ...]]]) -> None:
        """Count a bundle; it is empty afterwards in any case, or its sender would go on adding to it."""
        try:
            for tally, amounts in entries:
                self._totals.add_up(tally, amounts)
        finally:
            entries.clear()


class Metrics(ActorChild[MetricsMessage]):
    """The child. `max_queued` messages may wait for the actor; it takes them faster than they come."""

    def __init__(
        self,
        name: str = "metrics",
        *,
        bounds: Mapping[str, tuple[float, ...]] | None = None,
        max_series: int = 1000,
        max_queued: int = 200,
    ) -> None:
        mailbox: Mailbox[MetricsMessage] = Mailbox(name, capacity=16, max_queued=max_queued)
        super().__init__(mailbox, lambda: MetricsActor(self.totals))
        self.totals = Totals(bounds=bounds, max_series=max_series)
        self.crashes = 0

    async def run(self) -> None:
        """Count what is there, then let more come together: waking up costs more than counting."""
        actor = self.incarnate()
        while True:
            actor.receive(*await self.mailbox.take())
            while not self.mailbox.is_idle:
                actor.receive(*await self.mailbox.take())
            await trio.sleep(GATHER_S)

    def crashed(self, error: BaseException | None) -> None:
        """Count the crash, and with it the message that may have been in hand: up to `BUNDLE` measurements."""
        super().crashed(error)
        self.crashes += 1

    async def drain(self) -> None:
        """Wait until everything is counted that was offered before."""
        with contextlib.suppress(ActorError):
            await self.ref.ask(Snapshot(), deadline=trio.current_time() + DRAIN_S)
