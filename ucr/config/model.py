"""The configuration as the rest of UCR sees it: complete, checked, immutable.

Every default of the file format is a default here. Units are in the names: `_s` seconds, `_bytes` bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Literal, get_args

from actors.breaker import BreakerSpec
from actors.proxy import Proxy
from actors.redis_address import RedisAddress
from ucr.auth.sign_in import SignIn
from ucr.catalogue import Auth, Quirks
from ucr.config.bridge_model import Tools, Vision
from ucr.config.rule_model import Rule
from ucr.config.targets import ModelTarget as ModelTarget
from ucr.config.targets import Targets as Targets
from ucr.secret import Secret
from ucr.sigv4 import AwsKeys

EMPTY: Mapping[str, str] = MappingProxyType({})
NO_TASKS: Mapping["Task", "Targets"] = MappingProxyType({})
NO_HEDGES: Mapping[str, float] = MappingProxyType({})

Task = Literal[
    "background",
    "think",
    "long_context",
    "web_search",
    "image",
    "subagent",
    "compaction",
    "title",
    "classifier",
]
TASKS: tuple[Task, ...] = get_args(Task)

OnDisconnect = Literal["cancel", "drain"]


@dataclass(frozen=True, slots=True)
class Server:
    """`workers` None is what the machine suggests."""

    host: str = "127.0.0.1"
    port: int = 3000
    workers: int | None = None
    grace_s: float = 30.0
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    body_limit_bytes: int = 33_554_432
    keep_alive_s: float = 72.0
    front_lane: bool = True
    max_connections: int = 1024
    max_connections_per_address: int = 256
    bodies_limit_bytes: int = 134_217_728
    trusted_proxies: tuple[str, ...] = ()
    compression: bool = False
    tls_cert: str | None = None
    tls_key: str | None = None

    @property
    def scheme(self) -> str:
        """Return how URLs of the router begin."""
        return "http" if self.tls_cert is None else "https"

    def url(self, port: int | None = None) -> str:
        """Return where a client on this machine asks; `port` is what is really listened on."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        shown = f"[{host}]" if ":" in host else host
        return f"{self.scheme}://{shown}:{self.port if port is None else port}"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits of one upstream call: to connect, to the first byte, between bytes, and over all."""

    connect_s: float = 5.0
    first_byte_s: float = 300.0
    idle_s: float = 240.0
    total_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Provider:
    """One upstream. `api_keys` is empty when it needs none; `models` are those it is known to serve.

    `credentials` is the file that tokens are fetched with, where those stand in for a key; `aws` are the keys that
    requests are signed with instead. `sign_in` is how a user signs in there, and `is_signed_in` True when one has, and
    no key is configured. `written` are the quirks that the file itself sets, which no saved card changes; `cards` says of
    each card that was laid over the quirks what it told.
    """

    id: str
    dialect: str
    base_url: str
    api_keys: tuple[Secret, ...] = ()
    auth: Auth = "bearer"
    credentials: str | None = None
    aws: AwsKeys | None = None
    sign_in: SignIn | None = None
    is_signed_in: bool = False
    default_model: str | None = None
    models: tuple[str, ...] = ()
    enabled: bool = True
    priority: int = 0
    headers: Mapping[str, str] = field(default_factory=lambda: EMPTY, repr=False)
    max_requests: int = 64
    max_pending: int = 128
    wait_s: float = 10.0
    adaptive_limit: bool = False
    breaker: BreakerSpec = BreakerSpec()
    timeouts: Timeouts = Timeouts()
    http2: bool = False
    proxy: Proxy | None = None
    quirks: Quirks = Quirks()
    written: frozenset[str] = frozenset()
    cards: tuple[str, ...] = ()
    models_path: str | None = "/models"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must never be shown of how it is asked, but for its headers."""
        return self.api_keys if self.aws is None else (*self.api_keys, *self.aws.secrets)


@dataclass(frozen=True, slots=True)
class Router:
    """`default` serves what nothing else claims; `fallbacks` follow every route's own targets.

    `tasks` are the routes of tasks, `token_threshold` the size from which a request is a long context, and
    `keywords` lets the words of the user choose among them. `hedge_after_s` is by route; "*" stands for every
    route that is not named. `custom` is the file of a custom router, `custom_sees` how much of a request it is shown.
    `vision` describes images to models that take none.
    """

    default: Targets = ()
    fallbacks: Targets = ()
    tasks: Mapping[Task, Targets] = field(default_factory=lambda: NO_TASKS)
    token_threshold: int = 100_000
    keywords: bool = False
    max_attempts: int = 3
    hedge_after_s: Mapping[str, float] = field(default_factory=lambda: NO_HEDGES)
    on_disconnect: OnDisconnect = "cancel"
    drain_s: float = 10.0
    rules: tuple[Rule, ...] = ()
    custom: str | None = None
    custom_sees: Literal["head", "body"] = "head"
    custom_memory_bytes: int = 536_870_912
    vision: Vision | None = None

    def hedge_s(self, route: str) -> float | None:
        """Return after how long a route asks a second candidate beside a silent one; None: never."""
        return self.hedge_after_s.get(route, self.hedge_after_s.get("*"))


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent: in a day or a month, both of UTC, or in all."""

    usd: float
    per: Literal["day", "month", "total"] = "total"

    @property
    def nano(self) -> int:
        """The amount in billionths of a US dollar."""
        return round(self.usd * 1_000_000_000)


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who may use the router. `key_sha256` is the hex digest of the key.

    `rpm` and `tpm` are requests and tokens in a minute, `concurrency` requests at one time; None is no limit.
    `models` are patterns of the names that it may ask for; without any it may ask for all.
    """

    name: str
    key_sha256: str
    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None
    models: tuple[str, ...] = ()
    budget: Budget | None = None

    def may_ask(self, model: str) -> bool:
        """True when the client may ask for a model by this name."""
        return not self.models or any(fnmatchcase(model.lower(), pattern.lower()) for pattern in self.models)


@dataclass(frozen=True, slots=True)
class Price:
    """What tokens cost in USD per million; `provider` None is any, `model` a shell-style pattern.

    A cache without a price of its own costs what input does.
    """

    input: float
    output: float
    provider: str | None = None
    model: str = "*"
    cache_read: float | None = None
    cache_write: float | None = None
    cache_write_1h: float | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What is kept of requests for `ucr-trio cost`: for how long, and how much."""

    enabled: bool = True
    keep_days: float = 90.0
    max_bytes: int = 67_108_864


@dataclass(frozen=True, slots=True)
class Journal:
    """What every request came to, and with `bodies` what was said: for how long, and how much."""

    enabled: bool = True
    keep_days: float = 7.0
    max_bytes: int = 67_108_864
    bodies: bool = False
    body_bytes: int = 262_144


@dataclass(frozen=True, slots=True)
class Otel:
    """Traces for OpenTelemetry: whether, where to, under which name, and of which part of the requests."""

    enabled: bool = False
    endpoint: str = "http://127.0.0.1:4318/v1/traces"
    headers: Mapping[str, str] = field(default_factory=lambda: EMPTY, repr=False)
    service_name: str = "ucr-trio"
    sample: float = 1.0


@dataclass(frozen=True, slots=True)
class Cache:
    """The cache of answers: one for all workers of this machine (`node`), or one in each.

    `hot_…` are about the tier in front of it, in each worker.
    With `coalesce` requests that are alike and on their way at the same time share one answer.
    """

    enabled: bool = True
    streams: bool = False
    ttl_s: float = 300.0
    max_entries: int = 500
    max_bytes: int = 52_428_800
    hot_ttl_s: float = 60.0
    hot_entries: int = 100
    hot_max_bytes: int = 8_388_608
    scope: Literal["worker", "node"] = "node"
    coalesce: bool = True
    backend: Literal["memory", "redis"] = "memory"
    url: RedisAddress | None = None
    secret: Secret | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What is kept of the state that providers want back with a later request: for how long, and how much."""

    enabled: bool = True
    ttl_s: float = 21_600.0
    max_entries: int = 10_000
    max_bytes: int = 33_554_432


@dataclass(frozen=True, slots=True)
class Memory:
    """`worker_limit_bytes` None is a worker's share of three quarters of what the machine has."""

    worker_limit_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Logging:
    level: str = "info"
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """Everything. `source` names the file, or says that providers were discovered.

    `secrets` holds every secret that was read, also those of which only a digest is kept: the log leaves
    them out.
    """

    server: Server = Server()
    timeouts: Timeouts = Timeouts()
    providers: tuple[Provider, ...] = ()
    models: Mapping[str, Targets] = field(default_factory=lambda: MappingProxyType({}))
    router: Router = Router()
    clients: tuple[Client, ...] = ()
    prices: tuple[Price, ...] = ()
    admin_key_sha256: str | None = None
    logging: Logging = Logging()
    cache: Cache = Cache()
    usage: Usage = Usage()
    state: State = State()
    journal: Journal = Journal()
    memory: Memory = Memory()
    otel: Otel = Otel()
    tools: Tools = Tools()
    source: str = "discovery"
    warnings: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()

    def provider(self, provider_id: str) -> Provider | None:
        """Return the enabled provider with this id, or None."""
        return next((p for p in self.providers if p.id == provider_id and p.enabled), None)
