"""What the end of a request says to the metrics: counters by who answered and how, and times. Pure."""

from collections.abc import Mapping
from itertools import compress
from types import MappingProxyType

from actors import Labels, Measured, Tally
from ucr.config.model import Config, Provider, Targets
from ucr.record import Record, Took
from ucr.usage import NAME_CHARS

OTHER = "other"
CLIENT_GONE = 499
GONE = "client_gone"
"""The type of the error of a request whose client left first."""

EXCHANGES = "ucr_exchanges_total"
REQUESTS = "ucr_requests_total"
ATTEMPTS = "ucr_upstream_attempts_total"
TOKENS = "ucr_tokens_total"
LOOKUPS = "ucr_cache_lookups_total"
COST = "ucr_cost_usd_total"
ERRORS = "ucr_request_errors_total"
TTFB = "ucr_ttfb_seconds"
DURATION = "ucr_request_duration_seconds"
OVERHEAD = "ucr_overhead_seconds"
CUSTOM = "ucr_custom_router_total"
SENT_AWAY = "ucr_feed_clients_dropped_total"

OVERHEAD_BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
TOKEN_KINDS = ("input", "output", "cache_read", "cache_creation")
MAX_NAMES = 1000
"""How many names of models are remembered with what is said for them."""
MAX_KINDS = 1000
"""How many tallies are kept; of more than that, all are made anew."""
BOUNDS = ((OVERHEAD, OVERHEAD_BOUNDS),)
"""Histograms with buckets of their own: the router's own time is far below those of the providers."""

OUTCOMES = ("finished", "failed", "cancelled")
ENDED: Mapping[str, Tally] = MappingProxyType(
    {outcome: Tally(((EXCHANGES, (("outcome", outcome),)),)) for outcome in OUTCOMES}
)
"""What is told of an exchange of which nothing else is."""

Kind = tuple[object, ...]
"""What requests have in common that add to the same series."""


def outcome_of(status: int) -> str:
    """Return how an exchange ended: `finished`, `failed` (an error was told) or `cancelled` (the client left)."""
    if status == CLIENT_GONE:
        return "cancelled"
    return "finished" if 0 < status < 400 else "failed"


class Meter:
    """Adds up what the metrics are told of exchanges.

    How this works. Most requests are like one before: the same provider and model, the same status and manner. What has
    ended of one such kind since the metrics were told last is one sum for each counter, and a list of times for each
    histogram. For each kind that it has met it keeps the tally, whose labels are then not made again; there are no more
    kinds than the configuration and the statuses make, since models that it does not name are all `other`.
    """

    def __init__(self) -> None:
        self._config = Config()
        self._models: dict[tuple[str, str], str] = {}
        self._tallies: dict[Kind, Tally] = {}
        self._sums: dict[Kind, _Sums] = {}
        self._untold: list[_Sums] = []
        self._others: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<Meter of {len(self._tallies)} kinds>"

    def _follow(self, config: Config) -> None:
        """Forget labels: under another configuration the same model may have another one."""
        self._config = config
        self._models.clear()
        self._tallies.clear()
        self._sums.clear()

    def count(self, record: Record, took: Took, config: Config) -> None:
        """Count a request to a model, or one that failed: what `request.finished` tells of."""
        if config is not self._config:
            self._follow(config)
        usage, attempts, cost_nano = record.summary.usage, record.attempts, record.cost_nano or 0
        read, written = usage.input_tokens or 0, usage.output_tokens or 0
        cached, created = usage.cache_read_tokens or 0, usage.cache_creation_tokens or 0
        kind = (
            *(record.provider, record.model_used, record.dialect, record.status, record.route, record.stream),
            *(record.cache, record.error_type, took[2] is None),
            *(not attempts, not read, not written, not cached, not created, not cost_nano),
        )
        sums = self._sums.get(kind)
        if sums is None:
            sums = self._begun(kind, record)
        sums.attempts += attempts
        sums.read += read
        sums.written += written
        sums.cached += cached
        sums.created += created
        sums.cost_nano += cost_nano
        sums.took.append(took)

    def count_other(self, status: int) -> None:
        """Count an exchange that asked for no model, and failed in nothing that is told of."""
        outcome = outcome_of(status)
        self._others[outcome] = self._others.get(outcome, 0) + 1

    def gathered(self) -> tuple[Measured, ...]:
        """Return what was counted since the last time."""
        told = [sums.measured() for sums in self._untold]
        told += [Measured(ENDED[outcome], (count,)) for outcome, count in self._others.items()]
        self._sums.clear()
        self._untold.clear()
        self._others.clear()
        return tuple(told)

    def _begun(self, kind: Kind, record: Record) -> "_Sums":
        """Return the sums, still empty, of a kind that was not met since the metrics were told last."""
        model = self._models.get((record.provider, record.model_used))
        if model is None:
            model = self._model(record.provider, record.model_used)
        label = (record.provider, model, *kind[2:])
        tally, has = self._tallies.get(label), _has(record)
        if tally is None:
            if len(self._tallies) >= MAX_KINDS:
                self._tallies.clear()
            tally = self._tallies[label] = _tally(record, model, has)
        sums = self._sums[kind] = _Sums(tally, has)
        self._untold.append(sums)
        return sums

    def _model(self, provider: str, model: str) -> str:
        """Return the label of a model; only so many names are remembered, since clients make them up."""
        label = known_model(self._config, provider, model)
        if len(self._models) < MAX_NAMES and len(model) <= NAME_CHARS:
            self._models[provider, model] = label
        return label


class _Sums:
    """What requests of one kind came to. `has` says which of its counters there are, in their order."""

    __slots__ = ("_has", "_tally", "attempts", "cached", "cost_nano", "created", "read", "took", "written")

    def __init__(self, tally: Tally, has: tuple[bool, ...]) -> None:
        self._tally = tally
        self._has = has
        self.attempts = self.read = self.written = self.cached = self.created = self.cost_nano = 0
        self.took: list[Took] = []

    def measured(self) -> Measured:
        """Return an amount for each counter of the tally, and the times for its histograms."""
        count, tally = len(self.took), self._tally
        tokens = (self.read, self.written, self.cached, self.created)
        amounts = (count, count, self.attempts, count, *tokens, self.cost_nano / 1e9, count)
        times = tuple(zip(*self.took, strict=True))[: len(tally.histograms)]
        return Measured(tally, tuple(compress(amounts, self._has)), times)


def _has(record: Record) -> tuple[bool, ...]:
    """Return which counters there are for a request: of those that have nothing to add, no series is begun."""
    usage, is_looked_up = record.summary.usage, record.cache != "bypass"
    tokens = (
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_creation_tokens,
    )
    some = (record.attempts, is_looked_up, *tokens, record.cost_nano, record.error_type)
    return (True, True, *map(bool, some))


def _tally(record: Record, model: str, has: tuple[bool, ...]) -> Tally:
    """Return the series to which a request adds."""
    whom: Labels = (("provider", record.provider), ("model", model))
    counters = (
        (EXCHANGES, (("outcome", outcome_of(record.status)),)),
        (REQUESTS, (*whom, *_manner(record))),
        (ATTEMPTS, whom),
        (LOOKUPS, (("result", record.cache),)),
        *((TOKENS, (*whom, ("kind", kind))) for kind in TOKEN_KINDS),
        (COST, whom),
        (ERRORS, (("provider", record.provider), ("type", record.error_type or ""))),
    )
    labels: Labels = (("provider", record.provider), ("stream", "true" if record.stream else "false"))
    times = (DURATION, OVERHEAD) if record.first_byte_s is None else (DURATION, OVERHEAD, TTFB)
    return Tally(tuple(compress(counters, has)), tuple((name, labels) for name in times))


def _manner(record: Record) -> Labels:
    return (
        ("dialect", record.dialect),
        ("status", str(record.status)),
        ("route", record.route),
        ("stream", "true" if record.stream else "false"),
        ("cache", record.cache),
    )


def known_model(config: Config, provider_id: str, model: str) -> str:
    """Return the model's name if the configuration names it, else `other`: clients may ask for anything."""
    provider = config.provider(provider_id)
    if provider is None or not model:
        return "" if not model else OTHER
    is_known = _lists(provider, model) or any(_names(targets, model) for targets in _targets(config))
    return model if is_known else OTHER


def _lists(provider: Provider, model: str) -> bool:
    return model == provider.default_model or model in provider.models


def _targets(config: Config) -> tuple[Targets, ...]:
    rules = config.router.rules
    ruled = (rule.targets + tuple(weight.target for weight in rule.weights) for rule in rules)
    router = config.router
    return (router.default, router.fallbacks, *router.tasks.values(), *config.models.values(), *ruled)


def _names(targets: Targets, model: str) -> bool:
    return any(target.model == model for target in targets)
