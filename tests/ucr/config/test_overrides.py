import pytest

from ucr.access import digest
from ucr.config.model import Client, Config, Server
from ucr.config.overrides import Overrides, apply, overrides_of
from ucr.errors import ConfigError
from ucr.secret import Secret


def test_the_environment_overrides_host_port_level_and_client_key() -> None:
    environ = {"UCR_HOST": "::1", "UCR_PORT": "4000", "UCR_LOG_LEVEL": "WARN", "UCR_CLIENT_KEY": " k "}
    assert overrides_of(environ) == Overrides("::1", 4000, "warning", Secret("k"))


def test_empty_variables_override_nothing() -> None:
    environ = dict.fromkeys(("UCR_HOST", "UCR_PORT", "UCR_LOG_LEVEL", "UCR_CLIENT_KEY"), "")
    assert overrides_of(environ) == Overrides()


def test_wrong_variables_are_all_named() -> None:
    with pytest.raises(ConfigError) as caught:
        overrides_of({"UCR_PORT": "many", "UCR_LOG_LEVEL": "loud"})
    assert [str(problem) for problem in caught.value.problems] == [
        "environment: UCR_PORT = many: must be a whole number from 0 to 65535",
        "environment: UCR_LOG_LEVEL = loud: must be one of debug, info, warning, error, critical",
    ]


def test_the_command_line_goes_over_the_environment() -> None:
    line = Overrides(port=0, log_level="debug")
    assert line.over(Overrides("::1", 4000, "info", Secret("k"))) == Overrides("::1", 0, "debug", Secret("k"))


def test_no_overrides_change_nothing() -> None:
    assert apply(Config(), Overrides()) == Config()


def test_a_client_key_is_kept_as_a_digest_and_known_to_the_log() -> None:
    config = apply(Config(), Overrides(client_key=Secret("k")))
    assert config.clients == (Client("environment", digest("k")),)
    assert config.secrets == (Secret("k"),)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "ucr.lan"])
def test_an_address_that_others_reach_needs_a_client_key(host: str) -> None:
    with pytest.raises(ConfigError, match="client key is needed"):
        apply(Config(), Overrides(host=host))
    with pytest.raises(ConfigError, match=r"server\.host"):
        apply(Config(server=Server(host=host)), Overrides())
    assert apply(Config(), Overrides(host=host, client_key=Secret("k"))).server.host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_loopback_needs_none(host: str) -> None:
    assert apply(Config(), Overrides(host=host)).server.host == host
