"""The watch over a simulation: counts what happens, and says which law was broken first.

Everything here is a counter or a small table, so that a look at each step of the loop costs next to nothing; what takes
longer is looked at every `FULL_STEPS` steps.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, Literal

import msgspec
import trio
from trio.abc import Instrument

from actors import Provider
from ucr.config.model import Config
from ucr.stress.network import MemoryNetwork
from ucr.stress.plan import CALM_S, Plan
from ucr.stress.settings import (
    AT_ONE_TIME,
    BUDGET_NANO,
    BUDGETED,
    CROWDED,
    MOST_REQUESTS,
    MOST_WAITING,
    RATED,
    cost_nano,
    rpm_of,
)
from ucr.worker import Worker

FULL_STEPS = 1000
SECOND_CHANCE_S = 10.0
"""In the calm a provider may turn somebody away while one call tries whether it is well again, but not for longer."""
WINDOW_S = 60.0
FORGET_S = 600.0
"""Longer than any answer takes: what began before that is in no window that can still grow."""
ENOUGH = 4
"""After so many good answers in the calm a breaker must have closed."""

OutcomeName = Literal["whole", "failed", "refused", "left"]

_STEPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "breaker.opened": ("closed", "half_opened"),
        "breaker.half_opened": ("opened",),
        "breaker.closed": ("half_opened",),
    }
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a client as the watch sees it; `target` is the provider that it names, or ""."""

    client: int
    tenant: str
    tag: str
    target: str
    begun_s: float


@dataclass(frozen=True, slots=True)
class Broken:
    """A law was broken: which, how, when (virtual seconds), and after how many requests."""

    law: str
    how: str
    at_s: float
    requests: int

    def __str__(self) -> str:
        return f"{self.law}: {self.how} (at {self.at_s:.3f} s, after {self.requests} requests)"


@dataclass
class Watch:
    """Counts; `stop` is called once, when a law was broken. What was `replaced` has the breakers of two providers."""

    plan: Plan
    stop: Callable[[], None]
    broken: Broken | None = None
    requests: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    asked_of: dict[str, int] = field(default_factory=dict)
    cache_uses: dict[str, int] = field(default_factory=dict)
    blows: int = 0
    replaced: set[str] = field(default_factory=set)
    _digest: Any = field(default_factory=lambda: blake2b(digest_size=12))
    _begun: dict[tuple[str, str], int] = field(default_factory=dict)
    _served: list[float] = field(default_factory=list)
    _open: set[str] = field(default_factory=set)
    _running: dict[str, float] = field(default_factory=dict)
    _paid_nano: int = 0
    _answers: dict[str, int] = field(default_factory=dict)
    _first_refusals: dict[str, float] = field(default_factory=dict)
    _breakers: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The digest of everything that clients and providers saw, and when."""
        return str(self._digest.hexdigest())

    def trace(self, *what: object) -> None:
        """Add to the digest what must be the same in every run of the plan."""
        self._digest.update(f"{trio.current_time():.9f} {what}\n".encode())

    def broke(self, law: str, how: str) -> None:
        """Note that a law was broken, if it is the first one, and end the simulation."""
        if self.broken is None:
            self.broken = Broken(law, how, trio.current_time(), self.requests)
            self.stop()

    @property
    def is_calm(self) -> bool:
        return trio.current_time() >= self.plan.seconds

    def begun(self, asked: Asked) -> None:
        """A client asks."""
        self.requests += 1
        self._open.add(asked.tag)
        same = (asked.tenant, asked.tag)
        self._begun[same] = self._begun.get(same, 0) + 1

    def arrived(self, provider: str, tag: str) -> None:
        """A provider is asked."""
        self.asked_of[provider] = self.asked_of.get(provider, 0) + 1
        self.trace(provider, tag)
        if tag.startswith(CROWDED) and tag in self._open and self.plan.has_limits:
            self._check_crowd(tag)

    def answered(self, provider: str, tag: str, tokens: int) -> None:
        """A provider has said all its words, which are to be paid."""
        if self.is_calm:
            self._answers[provider] = self._answers.get(provider, 0) + 1
        self._running.pop(tag, None)
        if tag.startswith(BUDGETED):
            self._paid_nano += cost_nano(tokens)
            if self.plan.has_limits and not self.plan.has_hedges and self._paid_nano > BUDGET_NANO:
                self.broke("budget", f"{self._paid_nano} of {BUDGET_NANO} nano-dollars were spent")

    def ended(self, asked: Asked, outcome: OutcomeName, status: int, cache: str = "") -> None:
        """A request has come to its end."""
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        self.trace(asked.client, asked.tag, outcome, status, cache)
        self._open.discard(asked.tag)
        self._running.pop(asked.tag, None)
        if cache:
            self.cache_uses[cache] = self.cache_uses.get(cache, 0) + 1
        if cache in ("hit", "coalesced") and self._begun[asked.tenant, asked.tag] < 2:
            self.broke("tenant", f"{asked.tenant} got an answer to {asked.tag} that it had never asked for")
        if outcome in ("whole", "failed") and asked.tenant == RATED and self.plan.has_limits:
            self._check_rate(asked)
        if outcome in ("refused", "failed"):
            self._check_refusal(asked, outcome, status)

    def _check_rate(self, asked: Asked) -> None:
        """In no window is more served than a full bucket and what flows in meanwhile."""
        served, begun_s = self._served, asked.begun_s
        insort(served, begun_s)
        del served[: bisect_left(served, begun_s - FORGET_S)]
        for at in range(bisect_left(served, begun_s), bisect_right(served, begun_s + WINDOW_S)):
            count = at + 1 - bisect_left(served, served[at] - WINDOW_S)
            if count > 2 * rpm_of(self.plan):
                self.broke(
                    "rate", f"{asked.tenant} had {count} requests served that began within {WINDOW_S:g} s"
                )

    def _check_crowd(self, tag: str) -> None:
        """A request runs from its arrival at a provider until the provider has said all, or the client has its end.

        What has arrived at this very moment is not counted: the client of another one may be about to read its end.
        """
        self._running.setdefault(tag, trio.current_time())
        older = sum(since_s < trio.current_time() for since_s in self._running.values())
        if older + 1 > AT_ONE_TIME and self._running[tag] == trio.current_time():
            self.broke("concurrency", f"{tag} runs beside {older} others of {AT_ONE_TIME} at one time")

    def _check_refusal(self, asked: Asked, outcome: str, status: int) -> None:
        """In the calm everybody is answered; a limit of one's own is no loss."""
        is_strict = asked.begun_s >= self.plan.seconds + CALM_S
        is_limited = self.plan.has_limits and asked.tenant in (RATED, BUDGETED, CROWDED) and status == 429
        if not is_strict or is_limited:
            return
        now_s = trio.current_time()
        first_s = self._first_refusals.setdefault(asked.target, now_s)
        if now_s - first_s > SECOND_CHANCE_S:
            where = asked.target or "the default route"
            self.broke("lost answer", f"{where} is well, and {asked.tag} {outcome} with {status}")

    def read_log(self, line: bytes) -> None:
        """Look at a line of the router's log."""
        said = msgspec.json.decode(line)
        name = said["event"]
        if name in ("request.crashed", "connection.crashed"):
            self.broke("crash", f"{name}: {said.get('error')}")
        elif name in _STEPS and said["provider"] not in self.replaced:
            which = (said["provider"], said.get("model") or "")
            before = self._breakers.get(which, "closed")
            self._breakers[which] = now = name.removeprefix("breaker.")
            if before not in _STEPS[name]:
                self.broke("breaker", f"{which}: {now} after {before}")

    def check_breakers(self, providers: Mapping[str, Provider]) -> None:
        """Look whether every breaker has closed whose provider has been well for long enough."""
        for name, provider in providers.items():
            if self._answers.get(name, 0) >= ENOUGH and not provider.health.breakers.all_closed():
                self.broke("breaker", f"{name} gave {self._answers[name]} good answers, and stays shut out")


class Steps(Instrument):
    """Looks at the router at every step of the loop, and more closely at every `FULL_STEPS`th."""

    def __init__(self, watch: Watch) -> None:
        self.steps = 0
        self._watch = watch
        self._worker: Worker | None = None
        self._network: MemoryNetwork | None = None
        self._tidy: Callable[[], None] = lambda: None
        self._providers: tuple[Provider, ...] = ()

    def attach(self, worker: Worker, network: MemoryNetwork, tidy: Callable[[], None]) -> None:
        """Begin to look at a router; `tidy` is called now and then, to forget what is over."""
        self._worker, self._network, self._tidy = worker, network, tidy
        self.renew()

    def renew(self) -> None:
        """Look at the providers that there are now."""
        if self._worker is not None:
            self._providers = tuple(self._worker.tree.children.values())

    def detach(self) -> None:
        """Look no longer."""
        self._worker, self._providers = None, ()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self.steps += 1
        for provider in self._providers:
            ledger, mailbox = provider.ledger, provider.mailbox
            if not 0 <= ledger.in_flight <= MOST_REQUESTS or mailbox.unanswered > MOST_WAITING:
                self._watch.broke("bounds", f"{ledger!r} and {mailbox!r}")
        if self.steps % FULL_STEPS == 0 and self._worker is not None:
            self._look_closely(self._worker)

    def _look_closely(self, worker: Worker) -> None:
        for how in broken_now(worker, worker.config):
            self._watch.broke("books", how)
        if trio.current_time() >= self._watch.plan.seconds + CALM_S:
            self._watch.check_breakers(worker.tree.children)
        self.renew()
        self._tidy()
        if self._network is not None:
            self._network.forget_closed()


def broken_now(worker: Worker, config: Config) -> list[str]:
    """Return what does not add up in a router that runs."""
    found = []
    for provider in worker.tree.children.values():
        ledger = provider.ledger
        settled = ledger.succeeded + ledger.abandoned + sum(ledger.failures.values())
        if ledger.granted != settled + ledger.leases_out:
            found.append(
                f"{provider.name}: {ledger.granted} leases, {settled} settled, {ledger.leases_out} out"
            )
        seen = provider.mailbox.statistics()
        ended = seen.answered + seen.refused + seen.failed + seen.abandoned
        if seen.asked != ended + seen.unanswered:
            found.append(f"{provider.name}: {seen.asked} asks, {ended} ended, {seen.unanswered} unanswered")
    leases = sum(provider.ledger.leases_out for provider in worker.tree.children.values())
    if leases > (requests := worker.api.requests().open):
        found.append(f"{leases} leases are out for {requests} requests")
    cache = worker.tree.cache
    if cache is not None:
        kept = cache.statistics()
        if kept.bytes > config.cache.max_bytes or kept.entries > 2 * config.cache.max_entries:
            found.append(f"cache: {kept.entries} entries of {kept.bytes} bytes")
    return found
