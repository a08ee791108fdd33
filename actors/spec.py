"""What a provider is told of its upstream, and what it tells of itself."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, Protocol

from actors.breaker import BreakerSpec, BreakerState, BreakerStatus
from actors.errors import KeyFault
from actors.keyring import KeyStatus
from actors.lease import FailureKind
from actors.proxy import Proxy
from actors.request import Origin

ProviderState = Literal["serving", "restarting", "draining", "stopped"]
ProviderEventName = Literal["breaker.opened", "breaker.half_opened", "breaker.closed", "key.cooled"]

EVENT_OF: Mapping[BreakerState, ProviderEventName] = MappingProxyType(
    {"open": "breaker.opened", "half_open": "breaker.half_opened", "closed": "breaker.closed"}
)


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """One upstream and its limits.

    `wait_s` is the longest that an admission waits for a permit, `keys` the number of keys that the upstream may
    be asked with, `proxy` one on the way. With `adaptive`, `max_requests` is only the most of a limit that is found by trying.
    """

    id: str
    origin: Origin
    max_requests: int = 64
    max_pending: int = 128
    wait_s: float = 10.0
    max_connections: int = 100
    keep_alive_s: float = 60.0
    connection_life_s: float = 600.0
    keys: int = 1
    breaker: BreakerSpec = BreakerSpec()
    adaptive: bool = False
    http2: bool = False
    proxy: Proxy | None = None

    def limited_as(self, other: "ProviderSpec") -> "ProviderSpec":
        """Return this upstream with the limits of another spec: what can be changed while it runs."""
        return replace(
            self,
            max_requests=other.max_requests,
            max_pending=other.max_pending,
            wait_s=other.wait_s,
            breaker=other.breaker,
            adaptive=other.adaptive,
        )


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """What the rest of the process can see of a provider without asking it.

    `in_flight` is the cost of the leases that are out, `waiting` the number of admissions that wait, `limit` how
    much may be out at the moment. `breaker` is that of the way to the upstream, `breakers` are those of its
    models. `shed` counts by reason who got no lease: full, waited, breaker_open, cooling_down, draining.
    """

    state: ProviderState
    in_flight: int
    waiting: int
    granted: int
    succeeded: int
    abandoned: int
    failures: Mapping[FailureKind, int]
    limit: int
    breaker: BreakerStatus
    breakers: Mapping[str, BreakerStatus]
    keys: tuple[KeyStatus, ...]
    shed: Mapping[str, int]
    retries_spent: int
    retries_refused: int

    @property
    def drained(self) -> bool:
        return self.state in {"draining", "stopped"} and self.in_flight == 0


class Observed(Protocol):
    """A provider as the rest of the process sees it."""

    @property
    def status(self) -> ProviderStatus:
        """What is true of it now; what was returned before does not change."""
        ...


Board = MutableMapping[str, Observed]
"""The providers by name: each puts itself there, and leaves at its end. Its owner passes it in."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something true of a key wherever it is used: it has to rest `until` a time of Trio's clock."""

    kind: KeyFault
    key: int
    until: float


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """A change that is worth a line in a log.

    `model` None is the breaker of the way to the upstream. `for_s` is how long the ejection or the rest lasts,
    `kind` why a key rests.
    """

    name: ProviderEventName
    provider: str
    model: str | None = None
    key: int | None = None
    kind: KeyFault | None = None
    for_s: float | None = None
    failures: int = 0

    @classmethod
    def of_breaker(cls, provider: str, model: str | None, status: BreakerStatus, now: float) -> "ProviderEvent":
        """Return the event that a breaker has come into this state."""
        until = status.opened_until if status.state == "open" else None
        for_s = None if until is None else until - now
        return cls(EVENT_OF[status.state], provider, model, for_s=for_s, failures=status.failures)

    @classmethod
    def of_key(cls, provider: str, fact: Fact, now: float) -> "ProviderEvent":
        """Return the event that a key begins to rest."""
        return cls("key.cooled", provider, key=fact.key, kind=fact.kind, for_s=fact.until - now)
