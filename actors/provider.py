"""A provider: an upstream that admits only as much work at once as it should.

How this works. Whoever has a request asks for a lease, and the permits decide: a lease now, a lease when
another comes back, or a refusal. The mailbox is the queue of those who wait. Its capacity is the permits that
are free plus `max_pending`, so that a burst is refused only when it really has no place.

What a crash of the actor must not lose is not in the actor: the leases that are out are in the ledger, the
connections in the pool, and both belong to the `Provider`, the child that the supervisor keeps.
"""

import random
import ssl
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, assert_never

import trio

from actors.actor import ActorChild
from actors.admission import Admit, Drain, Learn, ProviderMessage, Reconfigure, Settle, Share, Withdraw
from actors.errors import AskTimeout, BreakerOpen, Draining, MailboxFull, Refusal
from actors.health import Health
from actors.lease import Lease
from actors.ledger import Ledger
from actors.mailbox import Mailbox, Reply
from actors.network import Network
from actors.pool import Pool
from actors.retry_budget import RetryBudget
from actors.spec import (
    Board,
    Fact,
    ProviderEvent,
    ProviderSpec,
    ProviderState,
    ProviderStatus,
)
from actors.waiting import Urgency, Waiting


class ProviderActor:
    """One incarnation: the admissions that wait for a permit."""

    def __init__(self, provider: "Provider") -> None:
        self._provider = provider
        self._ledger = provider.ledger
        self._waiting: Waiting[Reply[Lease], Admit] = Waiting()
        self._publish()

    def receive(self, message: ProviderMessage, reply: Reply[Any]) -> None:
        match message:
            case Admit():
                self._admit(message, reply)
            case Settle():
                self._grant_waiting()
            case Withdraw(reply=left):
                self._waiting.remove(left)
                self._grant_waiting()
            case Reconfigure(spec=spec):
                self._provider.apply(spec)
                self._grant_waiting()
            case Share(permits=permits):
                self._provider.apply_share(permits)
                self._grant_waiting()
            case Learn(fact=fact):
                self._provider.apply_fact(fact)
                self._grant_waiting()
            case Drain():
                self._ledger.close()
                self._grant_waiting()
            case other:
                assert_never(other)
        self._publish()

    def _admit(self, admit: Admit, reply: Reply[Lease]) -> None:
        now = trio.current_time()
        refusal = self._refusal(admit, now)
        if refusal is not None:
            self._provider.shed(refusal)
            reply.refuse(refusal)
        elif len(self._waiting) or not self._grant(admit, reply):
            self._waiting.add(reply, admit, admit.urgency, now)
            reply.when_abandoned(lambda: self._provider.ref.tell(Withdraw(reply)))
            self._grant_waiting()

    def _refusal(self, admit: Admit, now: float) -> Refusal | None:
        if self._ledger.is_closed:
            return Draining(f"provider {self._provider.name!r}: takes no new work, it is being stopped")
        return self._provider.refusal(admit, now)

    def _grant(self, admit: Admit, reply: Reply[Lease]) -> bool:
        """Give a lease if there is a permit; a lease that nobody waits for any more is taken back."""
        lease = self._provider.grant_nowait(admit)
        if lease is None:
            return False
        if not reply.answer(lease):
            with lease:
                pass
        return True

    def _grant_waiting(self) -> None:
        """Refuse those who wait in vain, and give leases to the others while there are permits."""
        now = trio.current_time()
        if len(self._waiting):
            self._refuse_waiting(now)
        while (turn := self._waiting.first(now, self._provider.spec.wait_s / 2)) is not None:
            reply, admit = turn
            if not self._grant(admit, reply):
                break
            self._waiting.remove(reply)
            self._refuse_waiting(now)

    def _refuse_waiting(self, now: float) -> None:
        if not self._ledger.is_closed and self._provider.health.admits_all(now):
            return
        for reply, admit in tuple(self._waiting):
            if (refusal := self._refusal(admit, now)) is not None:
                self._waiting.remove(reply)
                self._provider.shed(refusal)
                reply.refuse(refusal)

    def _publish(self) -> None:
        self._provider.publish("draining" if self._ledger.is_closed else "serving", len(self._waiting))


class Provider(ActorChild[ProviderMessage]):
    """The child: mailbox, ledger, health and pool of one upstream, round the incarnations of its actor.

    `on_event` hears what is worth a line in a log; `on_fact` what this process found out about a key and others
    should know; `on_starved` how many wait although only the share of this process is used up. None may raise.
    """

    tidy_every_s = 15.0

    def __init__(
        self,
        spec: ProviderSpec,
        network: Network,
        board: Board,
        *,
        tls: ssl.SSLContext | None = None,
        rng: Callable[[], float] = random.random,
        on_event: Callable[[ProviderEvent], None] = lambda _: None,
        on_fact: Callable[[Fact], None] = lambda _: None,
        on_starved: Callable[[int], None] = lambda _: None,
    ) -> None:
        mailbox: Mailbox[ProviderMessage] = Mailbox(spec.id, capacity=spec.max_requests + spec.max_pending)
        super().__init__(mailbox, lambda: ProviderActor(self))
        self.spec = spec
        self.ledger = Ledger(spec.max_requests, self._settled, self._answered)
        self.health = Health(spec)
        self.retries = RetryBudget(lambda: self.ledger.leases_out)
        self.pool = Pool(
            spec.origin,
            network,
            max_connections=spec.max_connections,
            keep_alive_s=spec.keep_alive_s,
            connection_life_s=spec.connection_life_s,
            tls=tls,
        )
        self._board = board
        self._rng = rng
        self._on_event, self._on_fact, self._on_starved = on_event, on_fact, on_starved
        self._share: int | None = None
        self._shed: Mapping[str, int] = MappingProxyType({})
        self._state: ProviderState = "serving"
        self._waiting = 0
        self._fit()
        self.publish("serving", 0)

    @property
    def status(self) -> ProviderStatus:
        return self._board[self.name]

    def is_available(self, model: str = "") -> bool:
        """Whether a call for the model would be let through now; a free permit is another matter."""
        now = trio.current_time()
        self._expire(model, now)
        return not self.ledger.is_closed and self.health.is_available(model, now)

    def retry_at(self, model: str = "") -> float | None:
        """Return when a breaker or a key will let calls through again, a time of Trio's clock; None: it does."""
        now = trio.current_time()
        self._expire(model, now)
        return self.health.retry_at(model, now)

    async def admit(
        self,
        request_id: str,
        *,
        deadline: float,
        cost: int = 1,
        model: str = "",
        urgency: Urgency = "interactive",
        is_side_call: bool = False,
        key_group: str = "",
    ) -> Lease:
        """Wait for a permit, until the deadline and `wait_s` at most; use the lease in a `with` at once.

        `Admit` says what the other arguments mean. Raises `MailboxFull` when there is no place to wait, or no
        permit within `wait_s`; `AskTimeout` when the deadline passes; `BreakerOpen`, `CoolingDown`, `Draining`,
        `ActorStopped` and `ActorCrashed` when another provider should be asked.
        """
        patience = min(deadline, trio.current_time() + self.spec.wait_s)
        question = Admit(request_id, patience, cost, model, urgency, is_side_call, key_group)
        try:
            return await self.ref.ask(question, deadline=patience)
        except AskTimeout:
            self._count_outside("waited")
            if patience == deadline:
                raise
        except MailboxFull:
            self._count_outside("full")
            self._maybe_starve(1)
            raise
        raise MailboxFull(f"provider {self.name!r}: no permit came free within {self.spec.wait_s:g} s")

    def reconfigure(self, spec: ProviderSpec) -> None:
        """Change the limits. Another id, origin, pool or set of keys needs another provider: `ValueError`."""
        if spec != self.spec.limited_as(spec):
            raise ValueError(f"provider {self.name!r}: only its limits can be changed while it runs")
        self.ref.tell(Reconfigure(spec))

    def set_share(self, permits: int) -> None:
        """Use no more than so many of the permits: the others are used by other processes.

        A smaller share holds from this moment, so that what is no longer used can be given away at once.
        """
        if self._share is None or permits < self._share:
            self.apply_share(permits)
        self.ref.tell(Share(permits))

    def learn(self, fact: Fact) -> None:
        """Take over what another process found out about a key."""
        self.ref.tell(Learn(fact))

    async def drain(self) -> None:
        """Refuse new work and wait until every lease is back."""
        self.ledger.close()
        self.ref.tell(Drain())
        await self.ledger.wait_empty()

    async def tidy(self) -> None:
        self.pool.sweep()

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

    def refusal(self, admit: Admit, now: float) -> Refusal | None:
        """Return why an admission is in vain, or None when it is not; for the actor."""
        self._expire(admit.model, now)
        return self.health.refusal(admit, now)

    def grant_nowait(self, admit: Admit) -> Lease | None:
        """Return a lease, if there are a permit and a key for it and the breakers agree; for the actor."""
        if not self.ledger.has_room(admit.cost):
            return None
        now = trio.current_time()
        entry = self.health.enter(admit, now, self._rng())
        self._report(now)
        if entry is None:
            return None
        lease = self.ledger.grant_nowait(
            admit.request_id, admit.cost, key=entry.key, model=admit.model, is_probe=entry.is_probe
        )
        assert lease is not None, "there was room"
        self.health.granted(lease, entry)
        if not admit.is_side_call:
            self.retries.called(now)
        return lease

    def shed(self, refusal: Refusal) -> None:
        """Count somebody who was refused; for the actor."""
        match refusal:
            case BreakerOpen():
                self._count_shed("breaker_open")
            case Draining():
                self._count_shed("draining")
            case _:
                self._count_shed("cooling_down")

    def apply(self, spec: ProviderSpec) -> None:
        """Make these limits the ones that count; for the actor."""
        self.spec = spec
        self.health.reconfigure(spec)
        self._report(trio.current_time())
        self._fit()

    def apply_share(self, permits: int) -> None:
        """Make this the share that counts; for the actor."""
        self._share = permits
        self._fit()

    def apply_fact(self, fact: Fact) -> None:
        """Let a key rest because another process says so; for the actor."""
        now = trio.current_time()
        if fact.until > now and self.health.learn(fact):
            self._on_event(ProviderEvent.of_key(self.name, fact, now))

    def publish(self, state: ProviderState, waiting: int) -> None:
        """Replace the entry on the board; for the actor."""
        self._state, self._waiting = state, waiting
        ledger, health = self.ledger, self.health
        self.mailbox.capacity = self.spec.max_pending + max(0, self._most() - ledger.in_flight)
        self._board[self.name] = ProviderStatus(
            state,
            ledger.in_flight,
            waiting,
            ledger.granted,
            ledger.succeeded,
            ledger.abandoned,
            ledger.failures,
            ledger.permits,
            health.breakers.own_status(),
            health.breakers.status(),
            health.keys.status(),
            self._shed,
            self.retries.spent,
            self.retries.refused,
        )
        self._maybe_starve(waiting)

    def _most(self) -> int:
        """Return how many permits this upstream has, for all who share them."""
        limit = self.health.limit
        return self.spec.max_requests if limit is None else limit.limit

    def _fit(self) -> None:
        most = self._most()
        self.ledger.permits = most if self._share is None else min(most, self._share)

    def _maybe_starve(self, waiting: int) -> None:
        if waiting and self.ledger.permits < self._most():
            self._on_starved(waiting)

    def _answered(self, lease: Lease) -> None:
        now = trio.current_time()
        self.health.answered(lease, now, self._rng(), self.ledger.in_flight)
        self._report(now)
        self._fit()

    def _settled(self, lease: Lease) -> None:
        now = trio.current_time()
        self.health.settle(lease, now, self._rng())
        self._report(now)
        self._fit()
        if self.mailbox.is_closed:
            self.publish("stopped", 0)
        else:
            self.ref.tell(Settle(lease.id, lease.outcome))

    def _expire(self, model: str, now: float) -> None:
        """Give up on probes that did not come back in time."""
        self.health.breakers.expire(model, now, self._rng())
        self._report(now)

    def _count_outside(self, reason: str) -> None:
        """Count what the actor hears nothing of."""
        self._count_shed(reason)
        if self.name in self._board:
            self.publish(self._state, self._waiting)

    def _count_shed(self, reason: str) -> None:
        self._shed = MappingProxyType({**self._shed, reason: self._shed.get(reason, 0) + 1})

    def _report(self, now: float) -> None:
        """Tell of everything that has just been found out."""
        if not self.health.has_news:
            return
        for change in self.health.take_changes():
            self._on_event(ProviderEvent.of_breaker(self.name, change.model, change.status, now))
        for fact in self.health.take_facts():
            self._on_event(ProviderEvent.of_key(self.name, fact, now))
            self._on_fact(fact)
