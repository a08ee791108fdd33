from dataclasses import FrozenInstanceError

import pytest

from ucr.config.model import Config, ModelTarget, Provider, Server

PROVIDER = Provider("a", "anthropic", "https://a.test")


def test_defaults_are_those_of_the_contract() -> None:
    server = Server()
    assert (server.host, server.port, server.grace_s, server.keep_alive_s) == ("127.0.0.1", 3000, 30.0, 72.0)
    assert server.body_limit_bytes == 33_554_432
    timeouts = Config().timeouts
    assert (timeouts.connect_s, timeouts.first_byte_s, timeouts.idle_s, timeouts.total_s) == (5, 300, 240, 3600)


def test_targets_are_written_as_in_the_file() -> None:
    assert str(ModelTarget("a")) == "a"
    assert str(ModelTarget("a", "b/c")) == "a/b/c"


def test_a_provider_that_is_off_is_not_found() -> None:
    off = Provider("b", "anthropic", "https://b.test", enabled=False)
    config = Config(providers=(PROVIDER, off))
    assert config.provider("a") is PROVIDER
    assert config.provider("b") is None
    assert config.provider("c") is None


def test_nothing_can_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        PROVIDER.id = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        PROVIDER.headers["a"] = "b"  # type: ignore[index]


def test_headers_are_left_out_of_the_words_for_a_provider() -> None:
    assert "secret" not in repr(Provider("a", "anthropic", "https://a.test", headers={"x-key": "secret"}))
