"""The breakers of one upstream: one for the way to it, and one for each model behind it.

Whoever cannot be connected to fails for every model; whatever else fails may fail for one model only. A call
passes both breakers, and its end tells each what concerns it.

While both breakers of a model are closed, every call gets the same passes, which are kept until a breaker changes, as
`lasting`: whoever has them need not `enter`, and whoever comes back with them needs no further look at the states.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from actors.breaker import Breaker, BreakerSpec, BreakerState, BreakerStatus, Pass
from actors.lease import Abandoned, Failure, Outcome, Success

MODELS = 64
"""How many models have a breaker. One more forgets the one used longest ago, a closed one if there is any."""

OF_KEYS = frozenset({"rate_limit", "quota", "auth"})
"""Failures that are no fault of the upstream: they concern the key."""


@dataclass(frozen=True, slots=True)
class BreakerChange:
    """A breaker has come into another state. `model` None: it is the one of the way to the upstream."""

    model: str | None
    status: BreakerStatus


@dataclass(frozen=True, slots=True)
class Passes:
    """What one call needs: a pass of each of the two breakers."""

    model: str
    own: Pass
    of_model: Pass

    @property
    def is_probe(self) -> bool:
        return self.own.is_probe or self.of_model.is_probe


class Breakers:
    """`changes` collects every change of state until it is taken away."""

    def __init__(self, spec: BreakerSpec) -> None:
        self._spec = spec
        self._own = Breaker(spec)
        self._models: dict[str, Breaker] = {}
        self._status: Mapping[str, BreakerStatus] | None = None
        self.lasting: dict[str, Passes] = {}
        self.changes: list[BreakerChange] = []

    def __repr__(self) -> str:
        return f"<Breakers: {self._own!r}, {len(self._models)} models>"

    def own_status(self) -> BreakerStatus:
        """Return the state of the breaker of the way to the upstream."""
        return self._own.status()

    def status(self) -> Mapping[str, BreakerStatus]:
        """Return the state of each model's breaker."""
        if self._status is None:
            self._status = MappingProxyType({model: each.status() for model, each in self._models.items()})
        return self._status

    def reconfigure(self, spec: BreakerSpec) -> None:
        """Follow other rules from now on."""
        self._spec = spec
        for model, breaker in self._all():
            before = breaker.state
            breaker.reconfigure(spec)
            self._note(model, breaker, before)

    def admits(self, model: str, now: float) -> bool:
        """Whether `enter` would let a call pass."""
        breaker = self._models.get(model)
        return self._own.admits(now) and (breaker is None or breaker.admits(now))

    def is_closed(self, model: str) -> bool:
        """Whether calls pass freely, and not as probes only."""
        breaker = self._models.get(model)
        return self._own.state == "closed" and (breaker is None or breaker.state == "closed")

    def retry_at(self, model: str, now: float) -> float | None:
        """Return when it is worth asking again; None when a call is let through now."""
        breaker = self._models.get(model)
        times = (self._own.retry_at(now), None if breaker is None else breaker.retry_at(now))
        return max((time for time in times if time is not None), default=None)

    def expire(self, model: str, now: float, dice: float) -> None:
        """Count probes that did not come back in time as failed."""
        breaker = self._models.get(model)
        for name, each in ((None, self._own), (model, breaker)):
            if each is not None and each.state == "half_open":
                each.expire(now, dice)
                self._note(name, each, "half_open")

    def enter(self, model: str, now: float, dice: float) -> Passes | None:
        """Return the passes for a call, or None when one of the breakers lets nobody through."""
        of_model = self._of(model)
        if (lasting := self.lasting.get(model)) is not None:
            return lasting
        before = (self._own.state, of_model.state)
        passes = self._passes(model, of_model, now, dice)
        self._note(None, self._own, before[0])
        self._note(model, of_model, before[1])
        if passes is not None and not passes.is_probe:
            self.lasting[model] = passes
        return passes

    def _passes(self, model: str, of_model: Breaker, now: float, dice: float) -> Passes | None:
        own = self._own.enter(now, dice)
        if own is None:
            return None
        other = of_model.enter(now, dice)
        if other is None:
            self._own.gave_back(own)
            return None
        return Passes(model, own, other)

    def answered(self, passes: Passes, now: float, dice: float, ttfb_s: float) -> Passes:
        """Note that the first byte has come: a probe has done its duty. Return the passes for the rest."""
        if not passes.is_probe:
            return passes
        self.settle(passes, Success(ttfb_s), now, dice)
        later = self._passes(passes.model, self._of(passes.model), now, dice)
        if later is None or later.is_probe:
            self.give_back(later)
            return replace(passes, own=Pass(0), of_model=Pass(0))
        return later

    def settle(self, passes: Passes, outcome: Outcome, now: float, dice: float) -> None:
        """Tell both breakers how a call ended."""
        if isinstance(outcome, Success) and self.succeeded(passes, now, dice, outcome.ttfb_s):
            return
        of_model = self._models.get(passes.model)
        before = (self._own.state, None if of_model is None else of_model.state)
        if (
            not isinstance(outcome, Success)
            or self._own.failures
            or (of_model is not None and of_model.failures)
        ):
            self._status = None
        self._settle_own(passes.own, outcome, now, dice)
        self._note(None, self._own, before[0])
        if of_model is not None:
            _settle_model(of_model, passes.of_model, outcome, now, dice)
            self._note(passes.model, of_model, before[1])

    def succeeded(self, passes: Passes, now: float, dice: float, ttfb_s: float | None) -> bool:
        """Count a good call of a model whose breakers are closed; only a slow one can change that.

        False: it has not been counted, since the passes last no more.
        """
        model = passes.model
        if self.lasting.get(model) is not passes:
            return False
        of_model = self._models[model] = self._models.pop(model)  # the one used last
        if self._own.failures or of_model.failures:
            self._status = None
        self._own.succeeded(passes.own, now, dice)
        of_model.succeeded(passes.of_model, now, dice, ttfb_s)
        if of_model.state != "closed":
            self._note(model, of_model, "closed")
        return True

    def give_back(self, passes: Passes | None) -> None:
        """Take the passes of a call back that says nothing."""
        if passes is not None:
            self._own.gave_back(passes.own)
            if (of_model := self._models.get(passes.model)) is not None:
                of_model.gave_back(passes.of_model)

    def _settle_own(self, given: Pass, outcome: Outcome, now: float, dice: float) -> None:
        match outcome:
            case Failure(kind="connect"):
                self._own.failed(given, now, dice)
            case Abandoned() | Failure(kind="timeout"):
                self._own.gave_back(given)
            case _:
                self._own.succeeded(given, now, dice)

    def _of(self, model: str) -> Breaker:
        breaker = self._models.pop(model, None)
        if breaker is None:
            if len(self._models) >= MODELS:
                self._forget_one()
            breaker = Breaker(self._spec)
            self._status = None
        self._models[model] = breaker
        return breaker

    def _forget_one(self) -> None:
        closed = (model for model, breaker in self._models.items() if breaker.state == "closed")
        forgotten = next(closed, next(iter(self._models)))
        del self._models[forgotten]
        self.lasting.pop(forgotten, None)

    def all_closed(self) -> bool:
        """Whether nobody is refused."""
        return all(breaker.state == "closed" for _, breaker in self._all())

    def _all(self) -> Iterator[tuple[str | None, Breaker]]:
        yield None, self._own
        yield from self._models.items()

    def _note(self, model: str | None, breaker: Breaker, before: BreakerState | None) -> None:
        if breaker.state != before:
            self._status = None
            self.lasting.clear()
            self.changes.append(BreakerChange(model, breaker.status()))


def _settle_model(breaker: Breaker, given: Pass, outcome: Outcome, now: float, dice: float) -> None:
    match outcome:
        case Success(ttfb_s=ttfb_s):
            breaker.succeeded(given, now, dice, ttfb_s)
        case Failure(kind=kind) if kind != "connect" and kind not in OF_KEYS:
            breaker.failed(given, now, dice)
        case _:
            breaker.gave_back(given)
