"""What the end of a request says to the metrics: counters by who answered and how, and times. Pure."""

from actors import Count, Labels, Measured, Observation
from ucr.config.model import Config, Provider, Targets
from ucr.record import Record

OTHER = "other"
CLIENT_GONE = 499

EXCHANGES = "ucr_exchanges_total"
REQUESTS = "ucr_requests_total"
ATTEMPTS = "ucr_upstream_attempts_total"
TOKENS = "ucr_tokens_total"
LOOKUPS = "ucr_cache_lookups_total"
TTFB = "ucr_ttfb_seconds"
DURATION = "ucr_request_duration_seconds"
OVERHEAD = "ucr_overhead_seconds"

OVERHEAD_BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
BOUNDS = ((OVERHEAD, OVERHEAD_BOUNDS),)
"""Histograms with buckets of their own: the router's own time is far below those of the providers."""


def outcome_of(status: int) -> str:
    """Return how an exchange ended: `finished`, `failed` (an error was told) or `cancelled` (the client left)."""
    if status == CLIENT_GONE:
        return "cancelled"
    return "finished" if 0 < status < 400 else "failed"


def measured(record: Record, now_s: float, config: Config, *, is_request: bool) -> Measured:
    """Return what one exchange adds to the totals.

    `is_request` says that it was a request to a model, or one that failed: what `request.finished` tells of.
    """
    ended = Count(EXCHANGES, (("outcome", outcome_of(record.status)),))
    if not is_request:
        return Measured((ended,))
    whom: Labels = (
        ("provider", record.provider),
        ("model", known_model(config, record.provider, record.model_used)),
    )
    counts = [ended, Count(REQUESTS, (*whom, *_manner(record)))]
    if record.attempts:
        counts.append(Count(ATTEMPTS, whom, record.attempts))
    if record.cache != "bypass":
        counts.append(Count(LOOKUPS, (("result", record.cache),)))
    counts.extend(_tokens(record, whom))
    return Measured(tuple(counts), tuple(_times(record, now_s)))


def _manner(record: Record) -> Labels:
    return (
        ("dialect", record.dialect),
        ("status", str(record.status)),
        ("route", record.route),
        ("stream", "true" if record.stream else "false"),
        ("cache", record.cache),
    )


def _tokens(record: Record, whom: Labels) -> list[Count]:
    usage = record.summary.usage
    kinds = (
        ("input", usage.input_tokens),
        ("output", usage.output_tokens),
        ("cache_read", usage.cache_read_tokens),
        ("cache_creation", usage.cache_creation_tokens),
    )
    return [Count(TOKENS, (*whom, ("kind", kind)), amount) for kind, amount in kinds if amount]


def _times(record: Record, now_s: float) -> list[Observation]:
    labels: Labels = (("provider", record.provider), ("stream", "true" if record.stream else "false"))
    times = [
        Observation(DURATION, now_s - record.began_s, labels),
        Observation(OVERHEAD, record.overhead_s(now_s), labels),
    ]
    ttfb_s = record.ttfb_s()
    return times if ttfb_s is None else [*times, Observation(TTFB, ttfb_s, labels)]


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
    return (config.router.default, config.router.fallbacks, *config.models.values())


def _names(targets: Targets, model: str) -> bool:
    return any(target.model == model for target in targets)
