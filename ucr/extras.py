"""Packages that only some configurations need, and that an installation may lack."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

from ucr.config.model import Config
from ucr.errors import ConfigError, Problem

OTEL = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


def check(config: Config, find: Callable[[str], object] = find_spec) -> None:
    """Raise `ConfigError` when the configuration needs packages that are not installed."""
    problems = []
    if config.cache.enabled and config.cache.backend == "redis" and find("coredis") is None:
        problems.append(Problem(config.source, "cache.backend", "'redis'", _remedy("redis")))
    if config.otel.enabled and not all(map(partial(_is_there, find), OTEL)):
        problems.append(Problem(config.source, "otel.enabled", "True", _remedy("otel")))
    if problems:
        raise ConfigError(tuple(problems))


def _remedy(extra: str) -> str:
    return f'needs a package that is not installed; pip install "ucr-trio[{extra}]"'


def _is_there(find: Callable[[str], object], package: str) -> bool:
    """Whether a package is there; one whose parent is missing raises."""
    try:
        return find(package) is not None
    except ModuleNotFoundError:
        return False
