"""A gate: all that decides whether one upstream may be asked, without the queue of those who wait.

It outlives the incarnations of its provider's actor. The permits are in the ledger; breakers and keys in the health;
what may be a retry in the budget.
"""

from collections.abc import Callable

from actors.admission import Admit
from actors.clock import clock
from actors.errors import BreakerOpen, Draining, Refusal
from actors.health import Health
from actors.lease import Lease
from actors.ledger import Ledger
from actors.retry_budget import RetryBudget
from actors.spec import Fact, ProviderEvent, ProviderSpec


class Gate:
    """`on_settled` hears of every lease that is back, when it is counted; the others are those of `Provider`."""

    def __init__(
        self,
        spec: ProviderSpec,
        *,
        rng: Callable[[], float],
        on_event: Callable[[ProviderEvent], None],
        on_fact: Callable[[Fact], None],
        on_settled: Callable[[Lease], None],
    ) -> None:
        self.spec = spec
        self.ledger = Ledger(spec.max_requests, self._settled, self._answered)
        self.health = Health(spec)
        self.retries = RetryBudget(lambda: self.ledger.leases_out)
        self.shed: dict[str, int] = {}
        self.share: int | None = None
        self.now = clock()
        self._rng = rng
        self._on_event, self._on_fact, self._on_settled = on_event, on_fact, on_settled
        self._fit()

    def __repr__(self) -> str:
        return f"<Gate of {self.spec.id!r}: {self.ledger!r}>"

    @property
    def most(self) -> int:
        """How many permits this upstream has, for all who share them."""
        limit = self.health.limit
        return self.spec.max_requests if limit is None else limit.limit

    def is_available(self, model: str) -> bool:
        """Whether a call for the model would be let through now; a free permit is another matter."""
        now = self.now()
        self._expire(model, now)
        return not self.ledger.is_closed and self.health.is_available(model, now)

    def retry_at(self, model: str) -> float | None:
        """Return when a breaker or a key will let calls through again, a time of Trio's clock; None: it does."""
        now = self.now()
        self._expire(model, now)
        return self.health.retry_at(model, now)

    def refusal(self, admit: Admit, now: float) -> Refusal | None:
        """Return why an admission is in vain, or None when it is not."""
        if self.ledger.is_closed:
            return Draining(f"provider {self.spec.id!r}: takes no new work, it is being stopped")
        self._expire(admit.model, now)
        return self.health.refusal(admit, now)

    def grant_freely(self, request_id: str, cost: int, model: str, now: float) -> Lease | None:
        """Return a lease if there is a permit and nothing else to look at; None: `grant_nowait` has to look closer."""
        entry = self.health.pass_freely(model)
        if entry is None:
            return None
        lease = self.ledger.grant_nowait(request_id, cost, model=model)
        if lease is not None:
            self.health.granted(lease, entry)
            self.retries.called(now)
        return lease

    def grant_nowait(
        self, request_id: str, cost: int, model: str, is_side_call: bool, key_group: str, now: float
    ) -> Lease | None:
        """Return a lease, if there are a permit and a key for it and the breakers agree.

        What is refused, and a side call that finds a breaker not closed, must have been refused before.
        """
        if not self.ledger.has_room(cost):
            return None
        entry = self.health.enter(model, now, self._rng(), is_side_call=is_side_call, key_group=key_group)
        self._report(now)
        if entry is None:
            return None
        lease = self.ledger.grant_nowait(request_id, cost, key=entry.key, model=model, is_probe=entry.is_probe)
        assert lease is not None, "there was room"
        self.health.granted(lease, entry)
        if not is_side_call:
            self.retries.called(now)
        return lease

    def count_refused(self, refusal: Refusal) -> None:
        """Count somebody who was refused."""
        match refusal:
            case BreakerOpen():
                self.count_shed("breaker_open")
            case Draining():
                self.count_shed("draining")
            case _:
                self.count_shed("cooling_down")

    def count_shed(self, reason: str) -> None:
        """Count somebody who got no lease."""
        self.shed[reason] = self.shed.get(reason, 0) + 1

    def apply(self, spec: ProviderSpec) -> None:
        """Make these limits the ones that count."""
        self.spec = spec
        self.health.reconfigure(spec)
        self._report(self.now())
        self._fit()

    def apply_share(self, permits: int) -> None:
        """Use no more than so many of the permits."""
        self.share = permits
        self._fit()

    def apply_fact(self, fact: Fact) -> None:
        """Let a key rest because another process says so."""
        now = self.now()
        if fact.until > now and self.health.learn(fact):
            self._on_event(ProviderEvent.of_key(self.spec.id, fact, now))

    def _fit(self) -> None:
        most = self.most
        self.ledger.permits = most if self.share is None else min(most, self.share)

    def _answered(self, lease: Lease) -> None:
        if not lease.is_probe and self.health.limit is None:
            return
        now = self.now()
        self.health.answered(lease, now, self._rng(), self.ledger.in_flight)
        self._report(now)
        self._fit()

    def _settled(self, lease: Lease) -> None:
        now = self.now()
        if self.health.settle(lease, now, self._rng()):
            self._report(now)
        if self.health.limit is not None:
            self._fit()
        self._on_settled(lease)

    def _expire(self, model: str, now: float) -> None:
        """Give up on probes that did not come back in time."""
        self.health.breakers.expire(model, now, self._rng())
        self._report(now)

    def _report(self, now: float) -> None:
        """Tell of everything that has just been found out."""
        if not self.health.has_news:
            return
        for change in self.health.take_changes():
            self._on_event(ProviderEvent.of_breaker(self.spec.id, change.model, change.status, now))
        for fact in self.health.take_facts():
            self._on_event(ProviderEvent.of_key(self.spec.id, fact, now))
            self._on_fact(fact)
