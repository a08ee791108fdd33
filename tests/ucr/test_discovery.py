import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr.auth.credential import Credential
from ucr.catalogue import ROWS
from ucr.config.model import ModelTarget, Provider
from ucr.config.overrides import Overrides
from ucr.discovery import PROBES, Probe, discovered, found, keyed_providers
from ucr.errors import ConfigError
from ucr.secret import Secret

PROBE = Probe("ollama", "http://127.0.0.1:11434", "/v1/models")


def listing(*names: object) -> bytes:
    return json.dumps({"object": "list", "data": [{"id": name} for name in names]}).encode()


def test_each_key_in_the_environment_gives_its_provider_in_the_order_of_the_catalogue() -> None:
    environ = {"OPENAI_API_KEY": "sk-two", "ANTHROPIC_API_KEY": "sk-one", "HOME": "/root"}
    providers = keyed_providers(environ)
    assert [p.id for p in providers] == ["anthropic", "openai"]
    assert [p.api_keys[0].reveal() for p in providers] == ["sk-one", "sk-two"]
    assert providers[0].auth == "x-api-key"


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.key_variables and row.base_url], ids=lambda row: row.id
)
def test_every_row_with_a_variable_is_found_by_each_of_them(row: object) -> None:
    assert isinstance(row, type(ROWS[0]))
    for variable in row.key_variables:
        providers = keyed_providers({variable: "key"})
        assert row.id in [provider.id for provider in providers]


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_key_is_none(value: str) -> None:
    assert keyed_providers({"OPENAI_API_KEY": value}) == ()


def test_the_usual_ports_are_probed() -> None:
    assert [probe.url for probe in PROBES] == [
        "http://127.0.0.1:11434/v1/models",
        "http://127.0.0.1:1234/v1/models",
    ]


def test_a_local_server_serves_what_it_lists_and_its_first_model_by_default() -> None:
    provider = found(PROBE, 200, listing("nomic-embed-text", "qwen3:8b", "llama3:8b"))
    assert provider is not None
    assert (provider.id, provider.dialect, provider.auth) == ("ollama", "ollama", "none")
    assert provider.base_url == "http://127.0.0.1:11434"
    assert (provider.default_model, provider.models) == ("qwen3:8b", ("qwen3:8b", "llama3:8b"))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, listing("m")),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"data": null}'),
        (200, b'{"data": [1, {"id": 2}, {"id": ""}, {}]}'),
        (200, listing()),
        (200, listing("all-minilm-embed")),
    ],
)
def test_an_answer_that_is_no_list_of_models_is_no_provider(status: int, body: bytes) -> None:
    assert found(PROBE, status, body) is None


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_no_answer_of_a_local_server_is_an_error(body: bytes) -> None:
    found(PROBE, 200, body)


def test_the_first_that_was_found_is_the_default() -> None:
    key = Secret("sk-one")
    one = Provider("one", "openai-chat", "https://one.test", (key,))
    config = discovered((one, replace(one, id="two", api_keys=())), Overrides(port=4000))
    assert config.router.default == (ModelTarget("one"),)
    assert (config.source, config.server.port, config.secrets) == ("discovery", 4000, (key,))


def test_when_nothing_is_found_there_is_no_default() -> None:
    assert discovered((), Overrides()).router.default == ()


def test_an_open_address_needs_a_client_key_here_too() -> None:
    with pytest.raises(ConfigError, match="UCR_CLIENT_KEY"):
        discovered((), Overrides(host="0.0.0.0"))
    assert discovered((), Overrides(host="0.0.0.0", client_key=Secret("k"))).clients[0].name == "environment"


def test_who_has_signed_in_somewhere_needs_no_variable_there() -> None:
    credentials = {
        "groq": Credential("api_key", Secret("gsk_typed")),
        "github-copilot": Credential("oauth", Secret("gho_x")),
        "gone": Credential("api_key", Secret("k")),
    }
    found = keyed_providers({"OPENAI_API_KEY": "sk-1"}, credentials)
    assert [entry.id for entry in found] == ["openai", "groq", "github-copilot"]
    assert [entry.is_signed_in for entry in found] == [False, False, True]
