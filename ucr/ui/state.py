"""How the router is, as the dashboard asks for it every few seconds: all of one moment, in one answer. Pure."""

from collections.abc import Iterator, Mapping

from actors import MetricsSnapshot
from ucr import __version__, metering, models, views
from ucr.config.model import Config
from ucr.jsontext import JsonObject
from ucr.observe.statistics import breaker_of
from ucr.observe.summary import performance, uptime
from ucr.views import Gathered


def state_json(gathered: Gathered, config: Config) -> JsonObject:
    """Return providers, actors, cache and models; what grows counts since the router began."""
    uptime_s, metrics = uptime(gathered), gathered.metrics
    statuses = views.provider_statuses(gathered)
    return {
        "version": __version__,
        "uptime_s": round(uptime_s, 1),
        "totals": performance(metrics, uptime_s),
        "cost_usd": round(metrics.total(metering.COST), 6),
        "providers": [_provider(entry) for entry in models.providers_view(config, statuses)["data"]],
        "models": list(_models(metrics)),
        "cache": views.cache_json(gathered),
        "tree": views.tree_json(gathered),
        "is_locked": config.admin_key_sha256 is not None,
    }


def _provider(entry: JsonObject) -> JsonObject:
    return {**entry, "breaker": breaker_of(entry["status"])}


def _models(metrics: MetricsSnapshot) -> Iterator[JsonObject]:
    """Give what each model of each provider was asked, and what came of it."""
    sums: dict[tuple[str, str], dict[str, float]] = {}
    for counter in metrics.counters:
        labels = dict(counter.labels)
        if (name := _figure(counter.name, labels)) is not None:
            row = sums.setdefault((labels["provider"], labels["model"]), {})
            row[name] = row.get(name, 0) + counter.value
    for (provider, model), row in sorted(sums.items()):
        if provider:
            yield {"provider": provider, "model": model, **_whole(row)}


def _figure(name: str, labels: Mapping[str, str]) -> str | None:
    """Return which figure of a model a counter belongs to."""
    if name == metering.REQUESTS:
        return "requests"
    if name == metering.TOKENS:
        return f"{labels['kind']}_tokens"
    return "cost_usd" if name == metering.COST else None


def _whole(row: Mapping[str, float]) -> JsonObject:
    counts = ("requests", *(f"{kind}_tokens" for kind in metering.TOKEN_KINDS))
    cost = row.get("cost_usd")
    return {
        **{name: int(row.get(name, 0)) for name in counts},
        "cost_usd": None if cost is None else round(cost, 9),
    }
