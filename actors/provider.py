"""A provider: an upstream that admits only as much work at once as it should.

How this works. Whoever has a request asks for a lease, and the permits decide: a lease now, a lease when
another comes back, or a refusal. The mailbox is the queue of those who wait. Its capacity is the permits that
are free plus `max_pending`, so that a burst is refused only when it really has no place.

What a crash of the actor must not lose is not in the actor: the leases that are out are in the ledger, the
connections in the pool, and both belong to the `Provider`, the child that the supervisor keeps.
"""

import ssl
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any, Literal, assert_never

import trio

from actors.actor import ActorChild
from actors.errors import AskTimeout, Draining, MailboxFull
from actors.lease import FailureKind, Lease, Outcome
from actors.ledger import Ledger
from actors.mailbox import Mailbox, Reply
from actors.network import Network
from actors.pool import Pool
from actors.ref import Question
from actors.request import Origin

ProviderState = Literal["serving", "restarting", "draining", "stopped"]


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """One upstream and its limits. `wait_s` is the longest that an admission waits for a permit."""

    id: str
    origin: Origin
    max_requests: int = 64
    max_pending: int = 128
    wait_s: float = 10.0
    max_connections: int = 100
    keep_alive_s: float = 60.0
    connection_life_s: float = 600.0


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """What the rest of the process can see of a provider without asking it.

    `in_flight` is the cost of the leases that are out, `waiting` the number of admissions that wait.
    """

    state: ProviderState
    in_flight: int
    waiting: int
    granted: int
    succeeded: int
    abandoned: int
    failures: Mapping[FailureKind, int]

    @property
    def drained(self) -> bool:
        return self.state in {"draining", "stopped"} and self.in_flight == 0


Board = MutableMapping[str, ProviderStatus]
"""One entry for each provider, replaced whole at every change. Its owner passes it in; others only read it."""


@dataclass(frozen=True, slots=True)
class Admit(Question[Lease]):
    """Ask for a lease. Refused with `Draining`. `deadline` is a time of Trio's clock."""

    request_id: str
    deadline: float
    cost: int = 1


@dataclass(frozen=True, slots=True)
class Settle:
    """A lease is back. It is told only for a lease that was granted."""

    lease_id: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Reconfigure:
    """New limits for the same upstream."""

    spec: ProviderSpec


@dataclass(frozen=True, slots=True)
class Drain:
    """Refuse what waits and everything new."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The asker of an admission that waits has left."""

    reply: Reply[Lease]


ProviderMessage = Admit | Settle | Withdraw | Reconfigure | Drain


class ProviderActor:
    """One incarnation: the admissions that wait for a permit, in the order in which they came."""

    def __init__(self, provider: "Provider") -> None:
        self._provider = provider
        self._ledger = provider.ledger
        self._waiting: dict[Reply[Lease], Admit] = {}
        self._publish()

    def receive(self, message: ProviderMessage, reply: Reply[Any]) -> None:
        match message:
            case Admit():
                self._admit(message, reply)
            case Settle():
                self._grant_waiting()
            case Withdraw(reply=left):
                self._waiting.pop(left, None)
                self._grant_waiting()
            case Reconfigure(spec=spec):
                self._provider.apply(spec)
                self._grant_waiting()
            case Drain():
                self._ledger.close()
                self._refuse_waiting()
            case other:
                assert_never(other)
        self._publish()

    def _admit(self, admit: Admit, reply: Reply[Lease]) -> None:
        if self._ledger.is_closed:
            reply.refuse(self._draining())
        elif self._waiting or not self._grant(admit, reply):
            self._waiting[reply] = admit
            reply.when_abandoned(lambda: self._provider.ref.tell(Withdraw(reply)))

    def _grant(self, admit: Admit, reply: Reply[Lease]) -> bool:
        """Give a lease if there is a permit; a lease that nobody waits for any more is taken back."""
        lease = self._ledger.grant_nowait(admit.request_id, admit.cost)
        if lease is None:
            return False
        if not reply.answer(lease):
            with lease:
                pass
        return True

    def _grant_waiting(self) -> None:
        while self._waiting:
            reply, admit = next(iter(self._waiting.items()))
            if not self._grant(admit, reply):
                return
            self._waiting.pop(reply, None)

    def _refuse_waiting(self) -> None:
        for reply in tuple(self._waiting):
            reply.refuse(self._draining())
        self._waiting.clear()

    def _publish(self) -> None:
        self._provider.publish("draining" if self._ledger.is_closed else "serving", len(self._waiting))

    def _draining(self) -> Draining:
        return Draining(f"provider {self._provider.name!r}: takes no new work, it is being stopped")


class Provider(ActorChild[ProviderMessage]):
    """The child: mailbox, ledger and pool of one upstream, round the incarnations of its actor."""

    def __init__(
        self, spec: ProviderSpec, network: Network, board: Board, *, tls: ssl.SSLContext | None = None
    ) -> None:
        mailbox: Mailbox[ProviderMessage] = Mailbox(spec.id, capacity=spec.max_requests + spec.max_pending)
        super().__init__(mailbox, lambda: ProviderActor(self))
        self.spec = spec
        self.ledger = Ledger(spec.max_requests, self._settled)
        self.pool = Pool(
            spec.origin,
            network,
            max_connections=spec.max_connections,
            keep_alive_s=spec.keep_alive_s,
            connection_life_s=spec.connection_life_s,
            tls=tls,
        )
        self._board = board
        self.publish("serving", 0)

    @property
    def status(self) -> ProviderStatus:
        return self._board[self.name]

    async def admit(self, request_id: str, *, deadline: float, cost: int = 1) -> Lease:
        """Wait for a permit, until the deadline and `wait_s` at most; use the lease in a `with` at once.

        Raises `MailboxFull` when there is no place to wait, or no permit within `wait_s`; `AskTimeout` when the
        deadline passes; `Draining`, `ActorStopped` and `ActorCrashed` when another provider should be asked.
        """
        patience = min(deadline, trio.current_time() + self.spec.wait_s)
        try:
            return await self.ref.ask(Admit(request_id, patience, cost), deadline=patience)
        except AskTimeout:
            if patience == deadline:
                raise
        raise MailboxFull(f"provider {self.name!r}: no permit came free within {self.spec.wait_s:g} s")

    def reconfigure(self, spec: ProviderSpec) -> None:
        """Change the limits. Another id, origin or pool needs another provider and raises `ValueError`."""
        same = replace(
            self.spec, max_requests=spec.max_requests, max_pending=spec.max_pending, wait_s=spec.wait_s
        )
        if spec != same:
            raise ValueError(f"provider {self.name!r}: only its limits can be changed while it runs")
        self.ref.tell(Reconfigure(spec))

    async def drain(self) -> None:
        """Refuse new work and wait until every lease is back."""
        self.ledger.close()
        self.ref.tell(Drain())
        await self.ledger.wait_empty()

    def crashed(self, error: BaseException | None) -> None:
        super().crashed(error)
        self.publish("restarting", 0)

    def gave_up(self) -> None:
        """Admit nobody any more; work that is under way goes on, with its connections."""
        super().gave_up()
        self.ledger.close()
        self.publish("stopped", 0)

    async def aclose(self) -> None:
        """Close the pool, then the mailbox, and leave the board."""
        await self.pool.aclose()
        self.mailbox.close()
        self._board.pop(self.name, None)

    def apply(self, spec: ProviderSpec) -> None:
        """Make these limits the ones that count; for the actor."""
        self.spec = spec
        self.ledger.permits = spec.max_requests

    def publish(self, state: ProviderState, waiting: int) -> None:
        """Replace the entry on the board; for the actor."""
        ledger = self.ledger
        free = max(0, ledger.permits - ledger.in_flight)
        self.mailbox.capacity = self.spec.max_pending + free
        self._board[self.name] = ProviderStatus(
            state,
            ledger.in_flight,
            waiting,
            ledger.granted,
            ledger.succeeded,
            ledger.abandoned,
            ledger.failures,
        )

    def _settled(self, lease: Lease) -> None:
        if self.mailbox.is_closed:
            self.publish("stopped", 0)
        else:
            self.ref.tell(Settle(lease.id, lease.outcome))
