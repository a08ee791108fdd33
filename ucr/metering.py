"""What the end of a request says to the metrics: counters by who answered and how, and times. Pure."""

from operator import not_

from actors import Labels, Tally
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

Measurement = tuple[Tally, tuple[float, ...]]
Tokens = tuple[int | None, int | None, int | None, int | None]


def outcome_of(status: int) -> str:
    """Return how an exchange ended: `finished`, `failed` (an error was told) or `cancelled` (the client left)."""
    if status == CLIENT_GONE:
        return "cancelled"
    return "finished" if 0 < status < 400 else "failed"


class Meter:
    """Makes what the metrics are told of each exchange.

    How this works. Most requests are like one before: the same provider and model, the same status and manner. For
    each kind that it has met it keeps the tally, whose labels are then not made again; there are no more kinds than
    the configuration and the statuses make, since models that it does not name are all `other`.
    """

    def __init__(self) -> None:
        self._follow(Config())

    def __repr__(self) -> str:
        return f"<Meter of {len(self._tallies)} kinds>"

    def _follow(self, config: Config) -> None:
        self._config = config
        self._models: dict[tuple[str, str], str] = {}
        self._tallies: dict[tuple[object, ...], Tally] = {}

    def measured(self, record: Record, took: Took, config: Config, *, is_request: bool) -> Measurement:
        """Return what one exchange adds to the totals: an amount for each series of a tally.

        `is_request` says that it was a request to a model, or one that failed: what `request.finished` tells of.
        """
        if config is not self._config:
            self._follow(config)
        if not is_request:
            outcome = outcome_of(record.status)
            return self._tallies.get((outcome,)) or self._kept((outcome,), _ended(outcome)), (1,)
        total_s, own_s, ttfb_s = took
        usage, model = record.summary.usage, self._models.get((record.provider, record.model_used))
        if model is None:
            model = self._model(record.provider, record.model_used)
        tokens = (
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens,
            usage.cache_creation_tokens,
        )
        if_any = (
            record.attempts,
            record.cache != "bypass",
            *tokens,
            (record.cost_nano or 0) / 1e9,
            1 if record.error_type else 0,
        )
        kind = (
            *(record.provider, model, record.dialect, record.status, record.route, record.stream),
            *(record.cache, record.error_type, ttfb_s is None, *map(not_, if_any)),
        )
        tally = self._tallies.get(kind)
        if tally is None:
            tally = self._kept(kind, _tally(record, model, tokens, ttfb_s is not None))
        times = (total_s, own_s) if ttfb_s is None else (total_s, own_s, ttfb_s)
        return tally, (1.0, 1.0, *filter(None, if_any), *times)

    def _kept(self, kind: tuple[object, ...], tally: Tally) -> Tally:
        if len(self._tallies) >= MAX_KINDS:
            self._tallies.clear()
        self._tallies[kind] = tally
        return tally

    def _model(self, provider: str, model: str) -> str:
        """Return the label of a model; only so many names are remembered, since clients make them up."""
        label = known_model(self._config, provider, model)
        if len(self._models) < MAX_NAMES and len(model) <= NAME_CHARS:
            self._models[provider, model] = label
        return label


def _ended(outcome: str) -> Tally:
    return Tally(((EXCHANGES, (("outcome", outcome),)),))


def _tally(record: Record, model: str, tokens: Tokens, has_ttfb: bool) -> Tally:
    """Return the series to which a request adds, in the order of the amounts in `Meter.measured`."""
    whom: Labels = (("provider", record.provider), ("model", model))
    kinds = zip(TOKEN_KINDS, tokens, strict=True)
    counters = (
        (EXCHANGES, (("outcome", outcome_of(record.status)),)),
        (REQUESTS, (*whom, *_manner(record))),
        *(((ATTEMPTS, whom),) if record.attempts else ()),
        *(((LOOKUPS, (("result", record.cache),)),) if record.cache != "bypass" else ()),
        *((TOKENS, (*whom, ("kind", kind))) for kind, amount in kinds if amount),
        *(((COST, whom),) if record.cost_nano else ()),
        *(((ERRORS, _error(record, record.error_type)),) if record.error_type else ()),
    )
    labels: Labels = (("provider", record.provider), ("stream", "true" if record.stream else "false"))
    times = (DURATION, OVERHEAD, TTFB) if has_ttfb else (DURATION, OVERHEAD)
    return Tally(counters, tuple((name, labels) for name in times))


def _manner(record: Record) -> Labels:
    return (
        ("dialect", record.dialect),
        ("status", str(record.status)),
        ("route", record.route),
        ("stream", "true" if record.stream else "false"),
        ("cache", record.cache),
    )


def _error(record: Record, error_type: str) -> Labels:
    return (("provider", record.provider), ("type", error_type))


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
