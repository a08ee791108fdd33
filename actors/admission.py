"""What a provider's actor is asked and told."""

from dataclasses import dataclass

from actors.lease import Lease, Outcome
from actors.mailbox import Reply
from actors.ref import Question
from actors.spec import Fact, ProviderSpec
from actors.waiting import Urgency


@dataclass(frozen=True, slots=True)
class Admit(Question[Lease]):
    """Ask for a lease. Refused with `BreakerOpen`, `CoolingDown` or `Draining`.

    `deadline` is a time of Trio's clock. A side call (a count of tokens, a probe of ours) is let through only
    while all is well, and its end says nothing of the upstream. The admissions of a `key_group` get the same key
    where the load leaves the choice.
    """

    request_id: str
    deadline: float
    cost: int = 1
    model: str = ""
    urgency: Urgency = "interactive"
    is_side_call: bool = False
    key_group: str = ""


@dataclass(frozen=True, slots=True)
class Settle:
    """A lease is back. It is told only for a lease that was granted."""

    lease_id: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The asker of an admission that waits has left."""

    reply: Reply[Lease]


@dataclass(frozen=True, slots=True)
class Reconfigure:
    """New limits for the same upstream."""

    spec: ProviderSpec


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the permits this process may use, of those that several share."""

    permits: int


@dataclass(frozen=True, slots=True)
class Learn:
    """What somebody else found out."""

    fact: Fact


@dataclass(frozen=True, slots=True)
class Drain:
    """Refuse what waits and everything new."""


ProviderMessage = Admit | Settle | Withdraw | Reconfigure | Share | Learn | Drain
