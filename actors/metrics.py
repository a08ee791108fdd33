"""Metrics: an actor that counts what others measure.

Measurements are offered: whoever measures never waits, and what finds no room is dropped and counted by the
mailbox. The totals are the child's, not the actor's: a crash loses the one message that caused it, and no
total ever falls.

Whoever measures often adds up what is alike, and sends what is left in one `Bundle`.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import trio

from actors.actor import ActorChild
from actors.errors import ActorError
from actors.mailbox import Mailbox, Reply
from actors.ref import Question
from actors.totals import MetricsSnapshot, Tally, Totals

DRAIN_S = 1.0
GATHER_S = 0.01
"""For how long measurements are gathered after some were counted; who asks for a snapshot waits as long at most."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What events of one kind bring; to be offered.

    There is one amount for each counter of the tally, in its order, and for each of its histograms all the values.
    """

    tally: Tally
    amounts: tuple[float, ...]
    values: tuple[Sequence[float], ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """What events of several kinds bring. Who makes one bounds how many events are in it."""

    measured: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class Snapshot(Question[MetricsSnapshot]):
    """Ask for everything that was measured before this message."""


MetricsMessage = Measured | Bundle | Snapshot


class MetricsActor:
    """One incarnation."""

    def __init__(self, totals: Totals) -> None:
        self._totals = totals

    def receive(self, message: MetricsMessage, reply: Reply[Any]) -> None:
        match message:
            case Measured(tally=tally, amounts=amounts, values=values):
                self._totals.add_up(tally, amounts, values)
            case Bundle(measured=measured):
                for one in measured:
                    self._totals.add_up(one.tally, one.amounts, one.values)
            case Snapshot():
                reply.answer(self._totals.snapshot())
            case other:
                assert_never(other)


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
        """Count the crash, and with it the message that may have been in hand."""
        super().crashed(error)
        self.crashes += 1

    async def drain(self) -> None:
        """Wait until everything is counted that was offered before."""
        with contextlib.suppress(ActorError):
            await self.ref.ask(Snapshot(), deadline=trio.current_time() + DRAIN_S)
