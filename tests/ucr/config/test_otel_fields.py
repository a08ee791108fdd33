"""The section about traces."""

import pytest

from ucr.config.load import load
from ucr.errors import ConfigError

FILE = '[[providers]]\nid = "groq"\napi_key = "k"\n[otel]\n'


def test_traces_are_off_and_have_defaults() -> None:
    otel = load(FILE, "ucr.toml", {}).otel
    assert (otel.enabled, otel.endpoint, otel.sample) == (False, "http://127.0.0.1:4318/v1/traces", 1.0)


def test_what_is_said_is_read_and_keys_are_known_as_secrets() -> None:
    text = FILE + 'enabled = true\nservice_name = "mine"\nsample = 0.25\nheaders = { "x-api-key" = "${KEY}" }\n'
    config = load(text, "ucr.toml", {"KEY": "planted-key"})
    assert (config.otel.service_name, config.otel.sample, dict(config.otel.headers)) == (
        *("mine", 0.25),
        {"x-api-key": "planted-key"},
    )
    assert "planted-key" in [secret.reveal() for secret in config.secrets]
    assert "planted-key" not in repr(config.otel)


@pytest.mark.parametrize("line", ["sample = 2", 'endpoint = "https://u:p@h/"', "on = true", 'headers = "x"'])
def test_what_is_wrong_is_refused(line: str) -> None:
    with pytest.raises(ConfigError, match=r"ucr\.toml: otel\."):
        load(FILE + line, "ucr.toml", {})
