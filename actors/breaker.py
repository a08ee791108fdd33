"""A circuit breaker: it stops calls to what fails, and tries again, a little at a time, when some time has passed.

How this works. Closed, it counts how calls end over a rolling window. It opens after some failures in a row, or
when enough calls failed (or were slow) in the window. Open, it lets nobody through until the ejection ends. Then
it is half open: a few probes go through, and decide. Every ejection in a row is longer, up to a limit, with
jitter, so that many breakers do not come back together; time spent closed makes the next one shorter again.

What others got wrong is kept out by construction. Without a minimum volume the first failure of the day is 100 %
(opossum). A probe that never comes back would hold a breaker half open for ever (resilience4j #903), so a probe
has a deadline, and gives its permit back when it is abandoned. A call from before the breaker opened says nothing
about now, so that every pass carries the generation in which it was given, and an older one is not counted.
Refused calls are no calls.

Pure: the clock and the dice are arguments. The rules are those of Envoy's outlier detection (failures in a row,
growing ejection) and of resilience4j (rates over a window, slow calls, probes).
"""

from dataclasses import dataclass
from typing import Literal

from actors.rolling import Rolling

BreakerState = Literal["closed", "open", "half_open"]

BUCKETS = 10
JITTER = 0.2
"""An ejection is shortened by up to this share, so that none is longer than it was set."""
RECHECK_S = 1.0
"""After how long a refused call may ask again while all probes are on their way."""

_OK, _FAILED, _SLOW = range(3)


@dataclass(frozen=True, slots=True)
class BreakerSpec:
    """When a breaker opens, and for how long.

    It opens at `consecutive_failures`, or when of at least `min_calls` in the last `window_s` seconds
    `error_percent` failed or `slow_percent` took longer than `slow_s` to their first byte; None: no call is
    slow. The first ejection lasts `reset_s`, each further one twice as long, up to `max_reset_s`. Then `probes`
    calls must succeed; each has `probe_s` for its first byte.
    """

    enabled: bool = True
    error_percent: float = 50.0
    window_s: float = 10.0
    min_calls: int = 10
    consecutive_failures: int = 5
    reset_s: float = 30.0
    max_reset_s: float = 300.0
    probes: int = 1
    probe_s: float = 30.0
    slow_s: float | None = None
    slow_percent: float = 50.0


@dataclass(frozen=True, slots=True)
class Pass:
    """The permission to make one call, good for one generation. `number` is that of a probe, else 0."""

    generation: int
    number: int = 0

    @property
    def is_probe(self) -> bool:
        return self.number > 0


@dataclass(frozen=True, slots=True)
class BreakerStatus:
    """`opened_until` is when probes may begin, a time of Trio's clock; None while closed.

    `failures` are those in a row, `ejections` those whose effect on the next one has not passed.
    """

    state: BreakerState
    opened_until: float | None
    failures: int
    ejections: int


class Breaker:
    """One breaker. Whoever got a pass says once how the call ended, or gives the pass back."""

    def __init__(self, spec: BreakerSpec) -> None:
        self.spec = spec
        self.state: BreakerState = "closed"
        self.failures = 0
        self._generation = 1
        self._window = Rolling(spec.window_s, buckets=BUCKETS, kinds=3)
        self._opened_until: float | None = None
        self._ejections = 0
        self._closed_at = 0.0
        self._probes: dict[int, float] = {}
        self._last_probe = 0
        self._probes_succeeded = 0

    def __repr__(self) -> str:
        return f"<Breaker {self.state}, {self.failures} failures in a row, {self._ejections} ejections>"

    def status(self) -> BreakerStatus:
        return BreakerStatus(self.state, self._opened_until, self.failures, self._ejections)

    def reconfigure(self, spec: BreakerSpec) -> None:
        """Follow other rules from now on; one that is turned off closes."""
        if spec.window_s != self.spec.window_s:
            self._window = Rolling(spec.window_s, buckets=BUCKETS, kinds=3)
        self.spec = spec
        if not spec.enabled and self.state != "closed":
            self._close(self._closed_at)

    def admits(self, now: float) -> bool:
        """Whether `enter` would give a pass, when probes that are late have expired."""
        if self.state == "closed":
            return True
        if self.state == "open":
            return self._opened_until is not None and now >= self._opened_until
        return len(self._probes) + self._probes_succeeded < self.spec.probes

    def retry_at(self, now: float) -> float | None:
        """Return when it is worth asking again; None when a call is let through now."""
        if self.admits(now):
            return None
        if self.state == "open" and self._opened_until is not None:
            return self._opened_until
        return now + RECHECK_S

    def enter(self, now: float, dice: float) -> Pass | None:
        """Return a pass for one call, or None when none is let through. Half open, the pass is a probe."""
        self.expire(now, dice)
        if not self.admits(now):
            return None
        if self.state == "closed":
            return Pass(self._generation)
        if self.state == "open":
            self._half_open()
        self._last_probe += 1
        self._probes[self._last_probe] = now + self.spec.probe_s
        return Pass(self._generation, self._last_probe)

    def expire(self, now: float, dice: float) -> None:
        """Count a probe that did not come back in time as failed, at the time at which it should have."""
        if self._probes and (deadline := min(self._probes.values())) <= now:
            self._open(deadline, dice)

    def succeeded(self, given: Pass, now: float, dice: float, ttfb_s: float | None = None) -> None:
        """Count a call that went well."""
        spec = self.spec
        if given.generation != self._generation or not spec.enabled:
            return
        is_slow = spec.slow_s is not None and ttfb_s is not None and ttfb_s > spec.slow_s
        if given.number:
            if given.number in self._probes:
                self._probe_ended(given, now, dice, is_good=not is_slow)
            return
        self.failures = 0
        self._window.add(now, _SLOW if is_slow else _OK)
        if is_slow and self._is_over(now):
            self._open(now, dice)

    def failed(self, given: Pass, now: float, dice: float) -> None:
        """Count a call that failed."""
        if not self._counts(given):
            return
        if given.is_probe:
            self._probe_ended(given, now, dice, is_good=False)
            return
        self.failures += 1
        self._window.add(now, _FAILED)
        if self.failures >= self.spec.consecutive_failures or self._is_over(now):
            self._open(now, dice)

    def gave_back(self, given: Pass) -> None:
        """Take back the pass of a call that says nothing; a probe's place is free again."""
        if self._counts(given):
            self._probes.pop(given.number, None)

    def _counts(self, given: Pass) -> bool:
        return (
            self.spec.enabled
            and given.generation == self._generation
            and (not given.is_probe or given.number in self._probes)
        )

    def _probe_ended(self, given: Pass, now: float, dice: float, *, is_good: bool) -> None:
        del self._probes[given.number]
        if not is_good:
            self._open(now, dice)
            return
        self._probes_succeeded += 1
        if self._probes_succeeded >= self.spec.probes:
            self._close(now)

    def _is_over(self, now: float) -> bool:
        """True when too large a share of enough calls failed or was slow."""
        ok, failed, slow = self._window.totals(now)
        calls = ok + failed + slow
        if calls < self.spec.min_calls:
            return False
        is_failing = failed * 100 >= self.spec.error_percent * calls
        return is_failing or (slow > 0 and slow * 100 >= self.spec.slow_percent * calls)

    def _open(self, now: float, dice: float) -> None:
        if self.state == "closed":
            self._ejections = max(0, self._ejections - int((now - self._closed_at) / self.spec.reset_s))
        doubled = self.spec.reset_s * 2.0 ** min(self._ejections, 30)
        self._opened_until = now + min(doubled, self.spec.max_reset_s) * (1 - JITTER * dice)
        self._ejections += 1
        self._enter_state("open")

    def _half_open(self) -> None:
        self._enter_state("half_open")

    def _close(self, now: float) -> None:
        self._closed_at = now
        self._opened_until = None
        self.failures = 0
        self._window.clear()
        self._enter_state("closed")

    def _enter_state(self, state: BreakerState) -> None:
        self.state = state
        self._generation += 1
        self._probes.clear()
        self._probes_succeeded = 0
