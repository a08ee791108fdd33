"""What is known of an upstream from the calls that were made: its breakers, its keys, how much it takes.

It belongs to the provider and not to its actor, so that a crash forgets none of it, and it hears of the end of a
call at once, so that whoever looks next sees it. Pure: the clock and the dice are arguments.
"""

import msgspec

from actors.admission import Admit
from actors.breakers import BreakerChange, Breakers, Passes
from actors.concurrency import AdaptiveLimit
from actors.errors import BreakerOpen, CoolingDown, KeyFault, Refusal
from actors.keyring import Keyring, rest_s
from actors.lease import Failure, Lease, Success
from actors.spec import Fact, ProviderSpec

TOO_BUSY = frozenset({"overload", "timeout"})
"""Failures that say that the upstream has more work than it can do."""


class Entry(msgspec.Struct):
    """What a call took: a key, and the passes of the breakers; a side call has none.

    `is_free`: nothing was taken that has to be given back.
    """

    key: int
    passes: Passes | None
    is_free: bool = False

    @property
    def is_probe(self) -> bool:
        return self.passes is not None and self.passes.is_probe


class Health:
    """Changes of breakers and facts of keys are collected until whoever tells of them takes them away."""

    def __init__(self, spec: ProviderSpec) -> None:
        self._name = spec.id
        self._entries: dict[int, Entry] = {}
        self.breakers = Breakers(spec.breaker)
        self.keys = Keyring(spec.keys)
        self.limit = AdaptiveLimit(spec.max_requests) if spec.adaptive else None
        self._facts: list[Fact] = []

    def __repr__(self) -> str:
        return f"<Health of {self._name!r}: {self.breakers!r}, {self.keys!r}>"

    def reconfigure(self, spec: ProviderSpec) -> None:
        """Follow other rules from now on."""
        self.breakers.reconfigure(spec.breaker)
        if not spec.adaptive:
            self.limit = None
        elif self.limit is None:
            self.limit = AdaptiveLimit(spec.max_requests)
        else:
            self.limit.reconfigure(spec.max_requests)

    def admits_all(self, now: float) -> bool:
        """Whether nobody is refused, so that nobody has to be looked at."""
        return self.breakers.all_closed() and self.keys.has_free(now)

    def is_available(self, model: str, now: float) -> bool:
        """Whether a call for the model would be let through."""
        return self.breakers.admits(model, now) and self.keys.has_free(now)

    def retry_at(self, model: str, now: float) -> float | None:
        """Return when it is worth asking again; None when a call is let through now."""
        times = [self.breakers.retry_at(model, now)]
        if not self.keys.has_free(now):
            times.append(self.keys.soonest().until)
        return max((time for time in times if time is not None), default=None)

    def refusal(self, admit: Admit, now: float) -> Refusal | None:
        """Return why a call cannot be let through, or None when it can."""
        retry_at = self.breakers.retry_at(admit.model, now)
        if admit.is_side_call and retry_at is None and not self.breakers.is_closed(admit.model):
            retry_at = now
        if retry_at is not None:
            return BreakerOpen(f"provider {self._name!r}: it fails too often, and is left alone", retry_at)
        if not self.keys.has_free(now):
            rest = self.keys.soonest()
            return CoolingDown(f"provider {self._name!r}: every key has to rest", rest.until, rest.kind)
        return None

    def is_well(self, model: str, now: float) -> bool:
        """Whether calls for the model pass freely, so that `refusal` need not be asked."""
        return self.breakers.is_closed(model) and self.keys.has_free(now)

    def pass_freely(self, model: str) -> Entry | None:
        """Return what every call for the model gets while there is nothing to choose and nothing to be careful of.

        None says only that `enter` has to look closer.
        """
        passes = self.breakers.lasting.get(model)
        return Entry(0, passes, True) if passes is not None and self.keys.is_alone else None

    def enter(
        self, model: str, now: float, dice: float, *, is_side_call: bool = False, key_group: str = ""
    ) -> Entry | None:
        """Take a key and the passes for a call; None: it has become impossible since `refusal` was asked."""
        key = self.keys.take(now, key_group)
        if key is None:
            return None
        if is_side_call:
            return Entry(key, None)
        passes = self.breakers.enter(model, now, dice)
        if passes is None:
            self.keys.give_back(key)
            return None
        return Entry(key, passes)

    def granted(self, lease: Lease, entry: Entry) -> None:
        """Remember what a lease took."""
        self._entries[lease.id] = entry

    def answered(self, lease: Lease, now: float, dice: float, in_flight: int) -> None:
        """Note that the first byte for a lease has come; a probe is decided by that."""
        entry, ttfb_s = self._entries[lease.id], lease.ttfb_s
        if entry.passes is None or ttfb_s is None:
            return
        if self.limit is not None:
            self.limit.answered(ttfb_s, in_flight)
        if entry.is_probe:
            entry.passes = self.breakers.answered(entry.passes, now, dice, ttfb_s)

    def settle(self, lease: Lease, now: float, dice: float) -> bool:
        """Note how the work of a lease ended; return whether there is something to take away."""
        entry = self._entries.pop(lease.id)
        if not entry.is_free:
            self.keys.give_back(entry.key)
        passes, outcome = entry.passes, lease.outcome
        if passes is None:
            pass  # a side call says nothing of the upstream
        elif isinstance(outcome, Success):
            ttfb_s = lease.ttfb_s if outcome.ttfb_s is None else outcome.ttfb_s
            if not self.breakers.succeeded(passes, now, dice, ttfb_s):
                self.breakers.settle(passes, Success(ttfb_s), now, dice)
        else:
            self.breakers.settle(passes, outcome, now, dice)
            if isinstance(outcome, Failure):
                self._failed(entry, outcome, now)
        return self.has_news

    def _failed(self, entry: Entry, failure: Failure, now: float) -> None:
        match failure:
            case Failure(kind="rate_limit" | "quota" | "auth" as kind):
                self._cool(entry.key, now + rest_s(failure), kind)
            case Failure(kind=other) if self.limit is not None and other in TOO_BUSY:
                self.limit.failed()
            case _:
                pass

    def learn(self, fact: Fact) -> bool:
        """Take over what somebody else found out; False: it was known."""
        return self.keys.cool(fact.key, fact.until, fact.kind)

    @property
    def has_news(self) -> bool:
        """Whether there is something to take away."""
        return bool(self.breakers.changes or self._facts)

    def take_changes(self) -> list[BreakerChange]:
        """Return what happened to the breakers since this was asked last."""
        changes, self.breakers.changes = self.breakers.changes, []
        return changes

    def take_facts(self) -> list[Fact]:
        """Return what became known of keys since this was asked last."""
        facts, self._facts = self._facts, []
        return facts

    def _cool(self, key: int, until: float, kind: KeyFault) -> None:
        if self.keys.cool(key, until, kind):
            self._facts.append(Fact(kind, key, until))
