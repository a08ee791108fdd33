"""Packages that only some configurations need, and that an installation may lack."""

from collections.abc import Callable
from importlib.util import find_spec

from ucr.config.model import Config
from ucr.errors import ConfigError, Problem


def check(config: Config, find: Callable[[str], object] = find_spec) -> None:
    """Raise `ConfigError` when the configuration needs a package that is not installed."""
    if config.cache.enabled and config.cache.backend == "redis" and find("coredis") is None:
        remedy = 'needs a package that is not installed; pip install "ucr-trio[redis]"'
        raise ConfigError((Problem(config.source, "cache.backend", "'redis'", remedy),))
