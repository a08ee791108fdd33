import pytest

from ucr.catalogue import ROWS
from ucr.config.load import load
from ucr.config.model import Provider
from ucr.config.providers import provider_of
from ucr.operate.draft import USUAL, draft, missing, to_come

KEYED = tuple(provider_of(row) for row in ROWS if row.base_url and row.key_variables)


def test_a_file_for_every_provider_is_one_that_check_accepts_and_holds_no_key() -> None:
    environ = {name: "sk-secret-value" for row in ROWS for name in row.key_variables}
    text = draft(KEYED, KEYED[1].id, frozenset(environ), 4000)
    config = load(text, "ucr.toml", environ)
    assert [provider.id for provider in config.providers] == [provider.id for provider in KEYED]
    assert config.warnings == ()
    assert config.server.port == 4000
    assert config.router.default[0].provider == KEYED[1].id
    assert "sk-secret" not in text


def test_the_variable_that_is_set_is_named() -> None:
    google = tuple(provider for provider in KEYED if provider.id == "google")
    assert '"${GOOGLE_API_KEY}"' in draft(google, "google", frozenset({"GOOGLE_API_KEY"}), 3000)
    assert '"${GEMINI_API_KEY}"' in draft(google, "google", frozenset(), 3000)


@pytest.mark.parametrize("id_", ["lmstudio", "own"])
def test_a_local_server_is_written_with_its_address(id_: str) -> None:
    local = Provider(id_, "openai-chat", "http://127.0.0.1:1234/v1", auth="none", default_model="m")
    config = load(draft((local,), id_, frozenset(), 3000), "ucr.toml", {})
    assert config.providers[0].base_url == "http://127.0.0.1:1234/v1"
    assert config.providers[0].default_model == "m"


def test_a_provider_to_come_is_written_with_the_variable_that_is_missing() -> None:
    assert USUAL in to_come()
    for id_, provider in to_come().items():
        text = draft((provider,), id_, frozenset({"HOME"}), 3000)
        (name,) = missing(text, frozenset({"HOME"}))
        assert missing(text, frozenset({name})) == []
        assert load(text, "ucr.toml", {name: "k"}).providers[0].id == id_
