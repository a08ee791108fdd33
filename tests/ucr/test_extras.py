from dataclasses import replace

import pytest

from ucr import extras
from ucr.config.model import Cache, Config, Otel
from ucr.errors import ConfigError

REDIS = Config(cache=Cache(backend="redis"))


def test_what_is_needed_and_not_installed_is_told_with_its_remedy() -> None:
    with pytest.raises(ConfigError, match=r"cache\.backend.*'redis'.*pip install \"ucr-trio\[redis\]\""):
        extras.check(REDIS, lambda _name: None)


def test_everything_that_is_missing_is_told_at_once() -> None:
    both = replace(REDIS, otel=Otel(enabled=True))
    with pytest.raises(ConfigError, match=r"otel\.enabled = True.*ucr-trio\[otel\]") as caught:
        extras.check(both, lambda name: None)
    assert [problem.key for problem in caught.value.problems] == ["cache.backend", "otel.enabled"]


def test_what_is_below_a_package_that_is_missing_is_missing_too() -> None:
    def find(name: str) -> object:
        raise ModuleNotFoundError(name)

    with pytest.raises(ConfigError):
        extras.check(Config(otel=Otel(enabled=True)), find)


def test_what_is_installed_or_not_needed_is_no_matter() -> None:
    extras.check(REDIS)
    extras.check(Config(), lambda _name: None)
    extras.check(replace(REDIS, cache=replace(REDIS.cache, enabled=False)), lambda _name: None)
