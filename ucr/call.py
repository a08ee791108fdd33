"""One request on its way, and what it needs of the process that it runs in."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import msgspec
import trio
from msgspec.structs import replace

from actors import Board, Network, Pump, Timers
from actors import Provider as ProviderChild
from ucr.address import Address
from ucr.auth.file import CredentialFile
from ucr.bridges.bridge import Bridge, Bridges
from ucr.caching import Answers
from ucr.config.model import Config, Provider
from ucr.custom import CustomRouter
from ucr.decision import Decisions
from ucr.delivery import Delivery
from ucr.dialects.roles import Canonical, ClientDialect, Request
from ucr.estimate import Calibration
from ucr.flight import Flights
from ucr.healing import Healing
from ucr.observe.gaps import Gaps
from ucr.patience import Patience
from ucr.price_list import FILE
from ucr.pricing import Pricing
from ucr.record import Record
from ucr.redaction import Redactor
from ucr.remedies import Remedy
from ucr.side_calls import SideCalls
from ucr.signing import signs
from ucr.steering import Steer, steer_of
from ucr.tokens import google_tokens, signed_in_tokens
from ucr.upstream import origin_of
from ucr.vault.needs import Need, needs_of
from ucr.vault.vault import Vault

Restored = tuple[Request, Canonical | None]
"""A request as one provider is sent it, with what that had given and the client has not brought back."""

NO_NEEDS: frozenset[Need] = frozenset()

PRICES = Path(__file__).with_name(FILE)


OnRemedy = Callable[[str, str, Remedy], None]
"""Hears, with provider and model, what helped for the first time."""


def has_memory() -> None:
    """Raise nothing: where nobody looks at the memory, there is enough."""


def tell_nobody(_provider: str, _model: str, _remedy: Remedy) -> None:
    """Keep to oneself what helped: there is no other worker."""


@dataclass(frozen=True, slots=True)
class Router:
    """What requests need of their process. `dice` gives numbers from 0 to 1; `reading` lets one very large
    request be read at a time, and `check_memory` raises `ApiError` 529 where there is none for a large one."""

    config: Config
    children: Mapping[str, ProviderChild]
    board: Board
    unix_time: Callable[[], float]
    worker: str = "0"
    calibration: Calibration = field(default_factory=Calibration)
    answers: Answers | None = None
    flights: Flights | None = None
    timers: Timers = field(default_factory=Timers)
    pump: Pump = field(default_factory=Pump)
    gaps: Gaps = field(default_factory=Gaps)
    reading: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(1))
    check_memory: Callable[[], None] = has_memory
    dice: Callable[[], float] = random.random
    custom: CustomRouter | None = None
    network: Network | None = None
    vault: Vault | None = None
    on_remedy: OnRemedy = tell_nobody
    signed_in: CredentialFile | None = None
    side_calls: SideCalls | None = None
    decisions: Decisions = field(init=False, repr=False, compare=False)
    pricing: Pricing = field(init=False, repr=False, compare=False)
    steer: Steer | None = field(init=False, repr=False, compare=False)
    addresses: Mapping[str, Address] = field(init=False, repr=False, compare=False)
    healing: Healing = field(init=False, repr=False, compare=False)
    stateful: frozenset[Need] = field(init=False, repr=False, compare=False)
    bridges: Bridges = field(init=False, repr=False, compare=False)
    redactor: Redactor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "decisions", Decisions(self.config))
        object.__setattr__(self, "healing", Healing())
        object.__setattr__(self, "bridges", Bridges(self.config, self.network, self.unix_time, self.reading))
        redactor = Redactor(secret.reveal() for secret in self.config.secrets)
        object.__setattr__(self, "redactor", redactor)
        object.__setattr__(self, "pricing", Pricing(self.config, self.unix_time, PRICES.read_bytes()))
        steer = steer_of(self.config, self.decisions, self.custom, self.unix_time, self.reading)
        object.__setattr__(self, "steer", steer)
        needs = NO_NEEDS if self.vault is None else needs_of(self.config.providers)
        object.__setattr__(self, "stateful", needs)
        addresses = {provider.id: self._address(provider) for provider in self.config.providers}
        object.__setattr__(self, "addresses", MappingProxyType(addresses))

    def _address(self, provider: Provider) -> Address:
        sign = signs(provider, origin_of(provider.base_url).authority, self.unix_time)
        if sign is not None:
            return Address(provider, sign=sign)
        network = self.network
        if network is None:
            return Address(provider)
        if provider.credentials is not None:
            return Address(provider, google_tokens(provider.id, provider.credentials, network, self.unix_time))
        if provider.is_signed_in and provider.sign_in is not None and self.signed_in is not None:
            return Address(provider, signed_in_tokens(provider, self.signed_in, network, self.unix_time))
        return Address(provider)


class Call(msgspec.Struct):
    """One request on its way. `notes` say what rules changed in it, `entering` how many of its attempts wait for
    a permit. `restored` is, by the id of a provider, what that is sent in place of the client's words.

    A call that `is_part` of an answer does not end it; `attempts_before` are those of the parts before. `bridge` gives
    candidates what they lack, where that is needed.
    """

    router: Router
    client: ClientDialect
    request: Request
    record: Record
    delivery: Delivery
    patience: Patience
    canonical: Canonical | None = None
    notes: tuple[str, ...] = ()
    entering: int = 0
    restored: Mapping[str, Restored] | None = None
    bridge: Bridge | None = None
    is_part: bool = False
    attempts_before: int = 0
    _sent_estimate: int | None = None

    @property
    def sent_estimate(self) -> int:
        """About how many tokens the request is."""
        if self._sent_estimate is None:
            self._sent_estimate = self.request.estimate
        return self._sent_estimate

    def let_go(self) -> None:
        """Forget the words of the request: a stream that has begun goes on for minutes, and nobody else is asked."""
        self._sent_estimate = self.sent_estimate
        self.request, self.canonical = (
            replace(self.request, raw=b"", body={}, toolset=None, beginning=None, prompt=None),
            None,
        )
        self.restored = None

    @property
    def calls_left(self) -> int:
        """How many calls to providers may still be made for this request; those that wait for a permit count."""
        made = self.record.attempts - self.attempts_before
        return self.router.config.router.max_attempts - made - self.entering

    @property
    def may_ask(self) -> bool:
        """True while another call to a provider may be made for this request."""
        return self.calls_left > 0


def note_request(record: Record, request: Request) -> None:
    """Write down what the log says of a request."""
    record.dialect, record.model_asked, record.stream = request.dialect, request.model, request.stream
    record.session_id, record.agent_id = request.session_id, request.agent_id
    record.request_bytes = len(request.raw)
