"""Makes a `Config` of the text of a file.

The whole file is read before anything is said: a `ConfigError` holds every problem at once.
"""

import tomllib
from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType

from ucr import jsontext
from ucr.access import digest
from ucr.auth.credential import Credentials
from ucr.config.ancestor import is_ancestor, translated
from ucr.config.backing_fields import check_backing
from ucr.config.bridge_fields import TOOLS, check_models, read_tools, read_vision
from ucr.config.fields import (
    ADMIN,
    CACHE,
    CLIENTS,
    LOGGING,
    MEMORY,
    MODELS,
    ROUTER,
    SECTIONS,
    TIMEOUTS,
)
from ucr.config.interpolate import Unresolved, fill_tree
from ucr.config.journal_fields import JOURNAL
from ucr.config.kinds import TargetList, Wrong
from ucr.config.model import (
    TASKS,
    Cache,
    Client,
    Config,
    Journal,
    Logging,
    Memory,
    Otel,
    Price,
    Provider,
    Router,
    Server,
    State,
    Targets,
    Timeouts,
    Usage,
)
from ucr.config.money_fields import PRICES, USAGE
from ucr.config.otel_fields import OTEL
from ucr.config.overrides import Overrides, apply
from ucr.config.provider_fields import PROVIDERS
from ucr.config.providers import read_providers
from ucr.config.reading import Reading, Values, did_you_mean, unknown_key
from ucr.config.rules import read_rules
from ucr.config.server_fields import SERVER
from ucr.config.state_fields import STATE
from ucr.errors import ConfigError, Problem

NO_OVERRIDES = Overrides()
NO_CREDENTIALS: Credentials = MappingProxyType({})


def load(
    text: str,
    name: str,
    environ: Mapping[str, str],
    overrides: Overrides = NO_OVERRIDES,
    credentials: Credentials = NO_CREDENTIALS,
) -> Config:
    """Read a configuration; its name says its format: `.json` is JSON, everything else TOML.

    `credentials` stand in for keys that nobody has configured. Raise `ConfigError` with every problem found.
    """
    return load_tree(_parsed(text, name), name, environ, overrides, credentials)


def load_tree(
    tree: Values,
    name: str,
    environ: Mapping[str, str],
    overrides: Overrides = NO_OVERRIDES,
    credentials: Credentials = NO_CREDENTIALS,
) -> Config:
    """Read a configuration that is there as tables already; see `load`."""
    reading = Reading(name, environ, credentials)
    if name.endswith(".json") and is_ancestor(tree, PurePath(name).name):
        tree, warnings = translated(tree)
        for words in warnings:
            reading.warn(words)
    config = _config(reading, tree)
    try:
        config = apply(config, overrides)
    except ConfigError as error:
        reading.problems.extend(error.problems)
    if reading.problems:
        raise ConfigError(tuple(reading.problems))
    return config


def _parsed(text: str, name: str) -> Values:
    text = text.removeprefix("\ufeff")
    try:
        tree = (
            jsontext.loads(text.encode("utf-8", "replace")) if name.endswith(".json") else tomllib.loads(text)
        )
    except (ValueError, RecursionError) as error:  # tomllib: more digits or brackets than Python takes
        format_ = "JSON" if name.endswith(".json") else "TOML"
        raise ConfigError((Problem(name, "syntax", "", f"this is not {format_}: {error}"),))
    if not isinstance(tree, dict):
        raise ConfigError((Problem(name, "syntax", "", "the file must hold one object"),))
    return tree


def _config(reading: Reading, tree: Values) -> Config:
    _check_sections(reading, tree)
    timeouts = Timeouts(**reading.values(reading.table(tree, TIMEOUTS), TIMEOUTS.fields, "timeouts"))
    providers = read_providers(reading, reading.tables(tree, PROVIDERS), timeouts)
    admin = reading.values(reading.table(tree, ADMIN), ADMIN.fields, "admin")
    return Config(
        server=_server(reading, tree),
        timeouts=timeouts,
        providers=providers,
        models=_models(reading, tree, providers),
        router=_router(reading, tree, providers),
        clients=_clients(reading, tree),
        prices=_prices(reading, tree, providers),
        admin_key_sha256=digest(admin["key"].reveal()) if "key" in admin else None,
        cache=_cache(reading, tree),
        tools=read_tools(reading, reading.table(tree, TOOLS)),
        usage=Usage(**reading.values(reading.table(tree, USAGE), USAGE.fields, "usage")),
        state=State(**reading.values(reading.table(tree, STATE), STATE.fields, "state")),
        journal=Journal(**reading.values(reading.table(tree, JOURNAL), JOURNAL.fields, "journal")),
        memory=Memory(**reading.values(reading.table(tree, MEMORY), MEMORY.fields, "memory")),
        otel=Otel(**reading.values(reading.table(tree, OTEL), OTEL.fields, "otel")),
        logging=Logging(**reading.values(reading.table(tree, LOGGING), LOGGING.fields, "logging")),
        source=reading.file,
        warnings=tuple(reading.warnings),
        secrets=tuple(reading.secrets),
    )


def _check_sections(reading: Reading, tree: Values) -> None:
    names = tuple(section.name for section in SECTIONS)
    for key in tree:
        if key != "$schema" and key not in names:
            reading.problem(key, None, unknown_key(key, names))


def _server(reading: Reading, tree: Values) -> Server:
    server = Server(**reading.values(reading.table(tree, SERVER), SERVER.fields, "server"))
    if server.bodies_limit_bytes < server.body_limit_bytes:
        remedy = f"must be at least body_limit_bytes, {server.body_limit_bytes}: else no such body could come"
        reading.problem("server.bodies_limit_bytes", server.bodies_limit_bytes, remedy)
    if (server.tls_cert is None) != (server.tls_key is None):
        missing, given = ("tls_key", "tls_cert") if server.tls_key is None else ("tls_cert", "tls_key")
        reading.problem(f"server.{missing}", None, f"is missing beside {given}: TLS needs both")
    return server


def _cache(reading: Reading, tree: Values) -> Cache:
    table = reading.table(tree, CACHE)
    cache = Cache(**reading.values(table, CACHE.fields, "cache"))
    check_backing(reading, table, cache)
    return cache


def _models(reading: Reading, tree: Values, providers: tuple[Provider, ...]) -> Mapping[str, Targets]:
    models: dict[str, Targets] = {}
    for alias, value in reading.table(tree, MODELS).items():
        key = f"models.{alias}"
        try:
            models[alias] = TargetList().read(fill_tree(value, reading.environ))
        except (Unresolved, Wrong) as error:
            reading.problem(key, value, str(error))
        else:
            _check_targets(reading, key, models[alias], providers)
    return MappingProxyType(models)


def _router(reading: Reading, tree: Values, providers: tuple[Provider, ...]) -> Router:
    table = reading.table(tree, ROUTER)
    values = reading.values(table, ROUTER.fields, "router")
    for key in ("default", "fallbacks", *TASKS):
        _check_targets(reading, f"router.{key}", values.get(key, ()), providers)
    values["rules"] = read_rules(reading, values.get("rules", []), _routes(values))
    for rule in values["rules"]:
        weighted = tuple(weight.target for weight in rule.weights)
        _check_targets(reading, f"router.rules.{rule.name}", rule.targets + weighted, providers)
    if (vision := read_vision(reading, values.pop("vision", None))) is not None:
        _check_targets(reading, "router.vision.targets", vision.targets, providers)
        check_models(reading, vision, providers)
    if not values.get("default") and "default" not in table:
        reading.warn("router.default is not set: requests for models that no provider lists are refused")
    routes = {task: values.pop(task) for task in TASKS if task in values}
    return Router(**values, tasks=MappingProxyType(routes), vision=vision)


def _routes(values: Values) -> Mapping[str, Targets]:
    """Return the targets of each route that a rule can name; empty ones are not set."""
    return {name: values.get(name, ()) for name in ("default", *TASKS)}


def _check_targets(reading: Reading, key: str, targets: Targets, providers: tuple[Provider, ...]) -> None:
    by_id = {provider.id: provider for provider in providers}
    for target in targets:
        if target.provider not in by_id:
            words = f"there is no provider {target.provider!r}{did_you_mean(target.provider, tuple(by_id))}"
            reading.problem(key, str(target), words)
        elif not by_id[target.provider].enabled:
            reading.warn(f"{key} names the provider {target.provider!r}, which is not enabled")


def _clients(reading: Reading, tree: Values) -> tuple[Client, ...]:
    clients = []
    for index, table in enumerate(reading.tables(tree, CLIENTS)):
        at = f"clients.{table['name']}" if isinstance(table.get("name"), str) else f"clients[{index}]"
        values = reading.values(table, CLIENTS.fields, at)
        if "key" in table and "key_sha256" in table:
            reading.problem(f"{at}.key_sha256", None, "stands beside key; write one of them")
        elif not {"key", "key_sha256"} & table.keys():
            reading.problem(f"{at}.key", None, "is missing; write key or key_sha256")
        elif "key" in table and "key" not in values and not _has_problem(reading, f"{at}.key"):
            reading.problem(f"{at}.key", None, "is empty; an empty key would let everybody in")
        sha256 = digest(values["key"].reveal()) if "key" in values else values.get("key_sha256", "")
        limits = {limit: values.get(limit) for limit in ("rpm", "tpm", "concurrency", "budget")}
        clients.append(
            Client(values.get("name", at), sha256.lower(), models=values.get("models", ()), **limits)
        )
    _check_names(reading, clients)
    return tuple(clients)


def _prices(reading: Reading, tree: Values, providers: tuple[Provider, ...]) -> tuple[Price, ...]:
    by_id, prices = tuple(provider.id for provider in providers), []
    for index, table in enumerate(reading.tables(tree, PRICES)):
        at = f"prices[{index}]"
        values = reading.values(table, PRICES.fields, at)
        provider = values.get("provider")
        if provider is not None and provider not in by_id:
            words = f"there is no provider {provider!r}{did_you_mean(provider, by_id)}"
            reading.problem(f"{at}.provider", provider, words)
        elif {"input", "output"} <= values.keys():
            prices.append(Price(**values))
    return tuple(prices)


def _check_names(reading: Reading, clients: list[Client]) -> None:
    """Refuse a name used twice: the log and the limits go by it."""
    names = [client.name for client in clients]
    for name in sorted({name for name in names if names.count(name) > 1}):
        reading.problem("clients", name, "this name is used twice; give each client its own")


def _has_problem(reading: Reading, key: str) -> bool:
    return any(problem.key == key for problem in reading.problems)
