from dataclasses import replace

from ucr.config.model import Config, Logging
from ucr.store_spec import StoreAddress, StoreSpec, store_spec


def test_a_store_is_told_what_the_configuration_says_of_the_cache() -> None:
    config = Config(logging=Logging(level="warning"))
    config = replace(config, cache=replace(config.cache, ttl_s=7.0, max_entries=3, max_bytes=1000))
    assert store_spec(config, 2, 4) == StoreSpec(
        2, 4, "warning", 7.0, 3, 1000, config.timeouts.total_s, config.cache
    )


def test_the_defaults_are_those_of_the_configuration() -> None:
    assert store_spec(Config(), 1, 0) == StoreSpec()


def test_the_secret_is_not_shown() -> None:
    assert "hidden" not in repr(StoreAddress("/run/store", 2, b"hidden"))
