"""A provider: an upstream that admits only as much work at once as it should.

How this works. Whoever has a request asks for a lease, and the permits decide: a lease now, a lease when
another comes back, or a refusal. The mailbox is the queue of those who wait. Its capacity is the permits that
are free plus `max_pending`, so that a burst is refused only when it really has no place. Permits that other
processes share count as free until it is known that they use them all; from then on there are as many of the places as
this process has of the permits, and those of one where it has none, so that nobody waits behind a crowd for a few permits.

What a crash of the actor must not lose is not in the actor: the leases that are out and the health are in the
gate, the connections in the pool, and both belong to the `Provider`, the child that the supervisor keeps.

The actor decides who is next and who is refused. Where nobody waits and nobody is refused there is nothing to
decide: `try_admit` then takes the permit from the gate at once, and no task is woken. It does so only beside an
actor that has nothing to do, neither an ask nor a message, so that no one is overtaken and no `Drain`,
`Reconfigure` or `Share` that was sent before is missed; and never while the actor is down. In the same way a lease
that comes back is told to the actor only when somebody waits. A permit taken like this is no ask: granted leases
are counted by the ledger, asks by the mailbox.
"""

import math
import random
import ssl
from collections.abc import Callable
from typing import Any, assert_never

import trio

from actors.actor import ActorChild
from actors.admission import Admit, Drain, Learn, ProviderMessage, Reconfigure, Settle, Share, Withdraw
from actors.errors import AskTimeout, MailboxFull, Refusal
from actors.gate import Gate
from actors.lease import Lease
from actors.mailbox import Mailbox, Reply
from actors.network import Network
from actors.pool import Pool
from actors.spec import Board, Fact, ProviderEvent, ProviderSpec, ProviderState, ProviderStatus
from actors.waiting import Urgency, Waiting


class ProviderActor:
    """One incarnation: the admissions that wait for a permit."""

    def __init__(self, provider: "Provider") -> None:
        self._provider = provider
        self._gate = provider.gate
        self._waiting: Waiting[Reply[Lease], Admit] = Waiting()
        provider.begun()

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
                self._gate.apply(spec)
                self._grant_waiting()
            case Share(permits=permits):
                self._gate.apply_share(permits)
                self._grant_waiting()
            case Learn(fact=fact):
                self._gate.apply_fact(fact)
                self._grant_waiting()
            case Drain():
                self._gate.ledger.close()
                self._grant_waiting()
            case other:
                assert_never(other)
        self._provider.keep(len(self._waiting))

    def _admit(self, admit: Admit, reply: Reply[Lease]) -> None:
        now = trio.current_time()
        refusal = self._gate.refusal(admit, now)
        if refusal is not None:
            self._gate.count_refused(refusal)
            reply.refuse(refusal)
        elif len(self._waiting) or not self._grant(admit, reply, now):
            self._waiting.add(reply, admit, admit.urgency, now)
            reply.when_abandoned(lambda: self._provider.ref.tell(Withdraw(reply)))
            self._grant_waiting()

    def _grant(self, admit: Admit, reply: Reply[Lease], now: float) -> bool:
        """Give a lease if there is a permit; a lease that nobody waits for any more is taken back."""
        lease = self._gate.grant_nowait(
            admit.request_id, admit.cost, admit.model, admit.is_side_call, admit.key_group, now
        )
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
        while (turn := self._waiting.first(now, self._gate.spec.wait_s / 2)) is not None:
            reply, admit = turn
            if not self._grant(admit, reply, now):
                break
            self._waiting.remove(reply)
            self._refuse_waiting(now)

    def _refuse_waiting(self, now: float) -> None:
        if not self._gate.ledger.is_closed and self._gate.health.admits_all(now):
            return
        for reply, admit in tuple(self._waiting):
            if (refusal := self._gate.refusal(admit, now)) is not None:
                self._waiting.remove(reply)
                self._gate.count_refused(refusal)
                reply.refuse(refusal)


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
        self.gate = Gate(spec, rng=rng, on_event=on_event, on_fact=on_fact, on_settled=self._settled)
        self.ledger, self.health, self.retries = self.gate.ledger, self.gate.health, self.gate.retries
        self.pool = Pool(
            spec.origin,
            network,
            max_connections=spec.max_connections,
            keep_alive_s=spec.keep_alive_s,
            connection_life_s=spec.connection_life_s,
            tls=tls,
            http2=spec.http2,
            proxy=spec.proxy,
        )
        self._board = board
        self._on_starved = on_starved
        self._is_down = False
        self._waiting = 0
        self._short_until = -math.inf
        board[self.name] = self

    @property
    def spec(self) -> ProviderSpec:
        return self.gate.spec

    @property
    def state(self) -> ProviderState:
        if self.mailbox.is_closed:
            return "stopped"
        if self._is_down:
            return "restarting"
        return "draining" if self.ledger.is_closed else "serving"

    @property
    def status(self) -> ProviderStatus:
        """What is true now."""
        ledger, health = self.ledger, self.health
        return ProviderStatus(
            self.state,
            ledger.in_flight,
            self._waiting,
            ledger.granted,
            ledger.succeeded,
            ledger.abandoned,
            ledger.failures,
            ledger.permits,
            health.breakers.own_status(),
            health.breakers.status(),
            health.keys.status(),
            dict(self.gate.shed),
            self.retries.spent,
            self.retries.refused,
        )

    def is_available(self, model: str = "") -> bool:
        """Whether a call for the model would be let through now; a free permit is another matter."""
        return self.gate.is_available(model)

    def refusal(self, model: str = "") -> Refusal | None:
        """Return why a call for the model would be refused now; None: it would not, but might have to wait."""
        now = trio.current_time()
        return self.gate.refusal(Admit("", now, model=model), now)

    def retry_at(self, model: str = "") -> float | None:
        """Return when a breaker or a key will let calls through again, a time of Trio's clock; None: it does."""
        return self.gate.retry_at(model)

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

        A permit that `try_admit` would give is given without a checkpoint.
        `Admit` says what the other arguments mean. Raises `MailboxFull` when there is no place to wait, or no
        permit within `wait_s`; `AskTimeout` when the deadline passes; `BreakerOpen`, `CoolingDown`, `Draining`,
        `ActorStopped` and `ActorCrashed` when another provider should be asked.
        """
        now = self.gate.now()
        if deadline > now:
            lease = self.try_admit(
                request_id, cost=cost, model=model, is_side_call=is_side_call, key_group=key_group
            )
            if lease is not None:
                return lease
        patience = min(deadline, now + self.spec.wait_s)
        self._fit_mailbox()
        question = Admit(request_id, patience, cost, model, urgency, is_side_call, key_group)
        try:
            return await self.ref.ask(question, deadline=patience)
        except AskTimeout:
            self.gate.count_shed("waited")
            if patience == deadline:
                raise
        except MailboxFull:
            self.gate.count_shed("full")
            self._maybe_starve(1)
            raise
        raise MailboxFull(f"provider {self.name!r}: no permit came free within {self.spec.wait_s:g} s")

    def try_admit(
        self,
        request_id: str,
        *,
        cost: int = 1,
        model: str = "",
        is_side_call: bool = False,
        key_group: str = "",
    ) -> Lease | None:
        """Return a lease if nobody waits for one and nothing speaks against it, to be used in a `with` at once.

        None says only that the actor has to decide: `admit` asks it.
        """
        now = self.gate.now()
        if self._is_down or not self.mailbox.is_idle:
            return None
        if not is_side_call and (lease := self.gate.grant_freely(request_id, cost, model, now)) is not None:
            return lease
        if not self.health.is_well(model, now):
            return None
        return self.gate.grant_nowait(request_id, cost, model, is_side_call, key_group, now)

    def reconfigure(self, spec: ProviderSpec) -> None:
        """Change the limits. Another id, origin, pool or set of keys needs another provider: `ValueError`."""
        if spec != self.spec.limited_as(spec):
            raise ValueError(f"provider {self.name!r}: only its limits can be changed while it runs")
        self.ref.tell(Reconfigure(spec))

    def set_share(self, permits: int) -> None:
        """Use no more than so many of the permits: the others are used by other processes.

        A smaller share holds from this moment, so that what is no longer used can be given away at once.
        """
        if self.gate.share is None or permits < self.gate.share:
            self.gate.apply_share(permits)
        self.ref.tell(Share(permits))

    def set_short(self, until: float) -> None:
        """Count on the permits of this process alone until then: those that others may have are all in use."""
        self._short_until = until
        self._fit_mailbox()

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
        self._is_down = True
        self._waiting = 0

    def gave_up(self) -> None:
        """Admit nobody any more; work that is under way goes on, with its connections."""
        super().gave_up()
        self.ledger.close()
        self._waiting = 0

    async def aclose(self) -> None:
        """Close the pool, then the mailbox, and leave the board."""
        await self.pool.aclose()
        self.mailbox.close()
        self._board.pop(self.name, None)

    def begun(self) -> None:
        """Note that an incarnation serves the mailbox; for the actor."""
        self._is_down = False
        self.keep(0)

    def keep(self, waiting: int) -> None:
        """Note how many admissions wait; for the actor, after each message."""
        self._waiting = waiting
        self._fit_mailbox()
        self._maybe_starve(waiting)

    def _fit_mailbox(self) -> None:
        """Let as many ask as would find a permit or a place to wait; to be called before each ask."""
        most, pending, in_flight = self.gate.most, self.spec.max_pending, self.ledger.in_flight
        own = self.ledger.permits
        if own < most and self._short_until > trio.current_time():
            places = -(-pending * max(1, own) // most)
            self.mailbox.capacity = places + max(0, own - in_flight)
        else:
            self.mailbox.capacity = pending + max(0, most - in_flight)

    def _maybe_starve(self, waiting: int) -> None:
        if waiting and self.ledger.permits < self.gate.most:
            self._on_starved(waiting)

    def _settled(self, lease: Lease) -> None:
        if self.mailbox.unanswered:
            self.ref.tell(Settle(lease.id, lease.outcome))
