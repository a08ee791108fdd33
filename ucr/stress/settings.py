"""The configuration of the router that is simulated, and the keys of its clients. Pure."""

from dataclasses import replace
from hashlib import sha256
from math import ceil
from types import MappingProxyType

from actors.breaker import BreakerSpec
from ucr.config.model import (
    NO_HEDGES,
    Budget,
    Cache,
    Client,
    Config,
    ModelTarget,
    Price,
    Provider,
    Router,
    Server,
    Timeouts,
)
from ucr.secret import Secret
from ucr.stress.plan import PROVIDERS, BlowName, Plan
from ucr.stress.provider import host_of
from ucr.stress.words import INPUT_TOKENS

DIALECTS = MappingProxyType(
    {"north": "anthropic", "south": "openai-chat", "east": "openai-chat", "west": "anthropic"}
)
FREE, RATED, BUDGETED, CROWDED = "amber", "birch", "cedar", "dogwood"
TENANTS = (FREE, RATED, BUDGETED, CROWDED)
"""One has no limits, one a rate, one a budget, one may ask only so much at one time."""
AT_ONE_TIME = 2
HEDGE_AFTER_S = 3.0

MOST_REQUESTS = 16
MOST_WAITING = 2 * MOST_REQUESTS
FIRST_BYTE_S = 8.0
IDLE_S = 40.0
TOTAL_S = 90.0
GONE = "west"
"""The provider that a reload takes away and another one brings again."""

_HEDGES = MappingProxyType({"*": HEDGE_AFTER_S})
_INPUT_NANO, _OUTPUT_NANO = 1000, 2000
BUDGET_NANO = 20_000_000


def key_of(tenant: str) -> str:
    """Return the key of a tenant."""
    return f"sk-{tenant}"


def cost_nano(tokens: int) -> int:
    """Return what an answer of so many tokens costs, in billionths of a US dollar."""
    return INPUT_TOKENS * _INPUT_NANO + tokens * _OUTPUT_NANO


def rpm_of(plan: Plan) -> int:
    """Return how many requests in a minute the tenant with a rate has: about a third of what it wants."""
    return ceil(plan.rate * 60 / len(TENANTS) / 3)


def config_of(plan: Plan, blow: BlowName = "all") -> Config:
    """Return the configuration, as a reload of this name makes it."""
    names = tuple(name for name in PROVIDERS if blow != "fewer" or name != GONE)
    requests = MOST_REQUESTS // 2 if blow == "limits" else MOST_REQUESTS
    providers = tuple(replace(_provider(name), max_requests=requests) for name in names)
    targets = tuple(ModelTarget(name) for name in names)
    prices = (Price(_INPUT_NANO / 1000, _OUTPUT_NANO / 1000),)
    clients = tuple(_client(tenant, plan) for tenant in TENANTS)
    return Config(
        server=Server(max_connections=20_000),
        providers=providers,
        router=Router(default=targets, hedge_after_s=_HEDGES if plan.has_hedges else NO_HEDGES),
        clients=clients,
        prices=prices,
        cache=Cache(enabled=plan.has_cache, streams=True, ttl_s=30, hot_ttl_s=5, max_entries=8),
        source="the simulation",
    )


def _provider(name: str) -> Provider:
    dialect = DIALECTS[name]
    path = "/v1" if dialect.startswith("openai-") else ""
    return Provider(
        name,
        dialect,
        f"http://{host_of(name)}{path}",
        api_keys=(Secret("sk-provider"),),
        default_model=f"{name}-model",
        max_pending=MOST_REQUESTS,
        wait_s=5,
        breaker=BreakerSpec(reset_s=2, max_reset_s=8, probe_s=10),
        timeouts=Timeouts(connect_s=2, first_byte_s=FIRST_BYTE_S, idle_s=IDLE_S, total_s=TOTAL_S),
    )


def _client(tenant: str, plan: Plan) -> Client:
    digest = sha256(key_of(tenant).encode()).hexdigest()
    if not plan.has_limits or tenant == FREE:
        return Client(tenant, digest)
    if tenant == RATED:
        return Client(tenant, digest, rpm=rpm_of(plan))
    if tenant == CROWDED:
        return Client(tenant, digest, concurrency=AT_ONE_TIME)
    return Client(tenant, digest, budget=Budget(BUDGET_NANO / 1e9))
