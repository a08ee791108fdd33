from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.world import google
from tests.world.signing import file_with
from ucr.auth.credential import Credential
from ucr.config.model import Client, Config, ModelTarget, Provider, Server
from ucr.config.overrides import Overrides
from ucr.demo import open_demo
from ucr.errors import ConfigError
from ucr.probe.card_file import card_file
from ucr.probe.cards import Card
from ucr.secret import Secret
from ucr.starting import LIMIT_BYTES, Source, banner, demo_provider, from_file

NONE = Overrides()
FILE = """
[server]
port = 3005

[[providers]]
id = "local"
dialect = "openai-chat"
base_url = "http://127.0.0.1:9101/v1"
api_key = "${LOCAL_KEY}"
default_model = "gpt-x"

[router]
default = "local"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, which is the home as well."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def environ(home: Path, **more: str) -> Mapping[str, str]:
    return {"HOME": str(home), "LOCAL_KEY": "k", **more}


def test_the_named_file_is_read_with_the_environment_in_it(here: Path) -> None:
    place = here / "mine.toml"
    place.write_text(FILE, "utf-8")
    config = from_file(str(place), environ(here), NONE)
    assert config is not None
    assert (config.source, config.server.port) == (str(place), 3005)
    assert [key.reveal() for key in config.providers[0].api_keys] == ["k"]


def test_the_credentials_of_a_provider_are_looked_at_before_anything_starts(here: Path) -> None:
    place = here / "mine.toml"
    place.write_text(
        FILE + '[[providers]]\nid = "vertex"\nproject = "p"\ncredentials = "google.json"\n', "utf-8"
    )
    with pytest.raises(ConfigError, match=r"providers\.vertex\.credentials.*cannot be read"):
        from_file(str(place), environ(here), NONE)
    google.written(here, google.USER | {"token_uri": "https://t.test"})
    (here / "credentials.json").rename(here / "google.json")
    config = from_file(str(place), environ(here), NONE)
    assert config is not None
    assert "a-refresh-token" in [secret.reveal() for secret in config.secrets]


@pytest.mark.parametrize(
    ("mode", "text", "warns"), [(0o600, "", 0), (0o640, "", 1), (0o604, "", 1), (0o644, "${K}", 0)]
)
def test_a_file_with_keys_that_others_can_read_is_warned_of(
    mode: int, text: str, warns: int, here: Path
) -> None:
    place = here / "mine.toml"
    place.write_text(f'[[providers]]\nid = "groq"\napi_key = "{text or "key-in-the-file"}"\n', "utf-8")
    place.chmod(mode)
    config = from_file(str(place), environ(here, K="key-in-the-file"), NONE)
    assert config is not None
    found = [words for words in config.warnings if "can be read by others" in words]
    assert len(found) == warns
    assert "key-in-the-file" not in str(found)


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(here: Path) -> None:
    (here / "ucr.toml").write_text(FILE, "utf-8")
    variables = environ(here, UCR_PORT="3006", UCR_LOG_LEVEL="debug")
    config = from_file(None, variables, Overrides(port=3007))
    assert config is not None
    assert (config.server.port, config.logging.level) == (3007, "debug")


def test_without_a_file_there_is_no_configuration_of_one(here: Path) -> None:
    assert from_file(None, environ(here), NONE) is None


def test_a_named_file_that_is_not_there_is_an_error(here: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        from_file("gone.toml", environ(here), NONE)


def test_a_file_that_is_no_text_is_an_error_that_says_so(here: Path) -> None:
    (here / "ucr.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"^ucr\.toml: file: cannot be read: "):
        from_file(None, environ(here), NONE)


def test_a_file_that_is_far_too_large_is_not_read(here: Path) -> None:
    (here / "ucr.toml").write_bytes(b"#" * (LIMIT_BYTES + 1))
    with pytest.raises(ConfigError, match="larger than 2 MiB"):
        from_file(None, environ(here), NONE)


def test_saved_cards_are_laid_over_the_file_but_not_over_what_it_says(here: Path) -> None:
    place, variables = here / "ucr.toml", environ(here, UCR_STATE_DIR=str(here / "state"))
    place.write_text(FILE, "utf-8")
    card = Card("local", "gpt-x", "http://127.0.0.1:9101/v1", "2026-03-01T12:00:00Z", {"images": "refused"})
    card_file(variables).save(card)
    found = [from_file(None, variables, NONE), from_file(None, variables, NONE, is_carded=False)]
    place.write_text(FILE.replace("api_key", "text_models = []\napi_key"), "utf-8")
    found.append(from_file(None, variables, NONE))
    takes = [config.providers[0].quirks.takes_images("gpt-x") for config in found if config is not None]
    assert takes == [False, True, True]


async def test_cards_that_are_saved_later_are_laid_over_what_was_discovered(here: Path) -> None:
    variables = environ(here, UCR_STATE_DIR=str(here / "state"), GROQ_API_KEY="k")
    source = Source(None, variables, NONE)
    async with source.starting(open_demo, probes=()) as config:
        (groq,) = config.providers
        refused = Card("groq", "seer", groq.base_url, "2026-03-01T12:00:00Z", {"images": "refused"})
        card_file(variables).save(refused)
        takes = [one.providers[0].quirks.takes_images("seer") for one in (config, source.read())]
    assert takes == [True, False]


async def test_a_source_reads_the_file_anew_each_time(here: Path) -> None:
    place = here / "ucr.toml"
    place.write_text(FILE, "utf-8")
    source = Source(None, environ(here), NONE)
    async with source.starting(open_demo, probes=()) as config:
        assert source.read() == config
        place.write_text(FILE.replace("3005", "3009"), "utf-8")
        assert source.read().server.port == 3009
        place.write_text("port = ", "utf-8")
        with pytest.raises(ConfigError, match="this is not TOML"):
            source.read()
        place.unlink()
        assert source.place() is None
        with pytest.raises(ConfigError, match="the file is gone"):
            source.read()


async def test_a_named_file_that_goes_away_is_an_error_and_no_place(here: Path) -> None:
    source = Source("mine.toml", environ(here), NONE)
    assert source.place() is None
    with pytest.raises(ConfigError, match="there is no such file"):
        source.read()


async def test_without_a_file_a_reload_finds_what_the_start_found_until_there_is_a_file(here: Path) -> None:
    source = Source(None, environ(here, GROQ_API_KEY="gsk"), NONE)
    async with source.starting(open_demo, probes=()) as config:
        assert source.read() is config
        assert repr(source) == "<Source without a file>"
        (here / "ucr.toml").write_text(FILE, "utf-8")
        assert source.read().source == source.place() == "ucr.toml"


async def test_a_file_is_served_as_it_is(here: Path) -> None:
    (here / "ucr.toml").write_text(FILE, "utf-8")
    async with Source(None, environ(here, OPENAI_API_KEY="sk"), NONE).starting(open_demo, probes=()) as config:
        assert [provider.id for provider in config.providers] == ["local"]


async def test_without_a_file_the_keys_of_the_environment_are_found(here: Path) -> None:
    variables = environ(here, ANTHROPIC_API_KEY="sk-ant", GROQ_API_KEY="gsk", UCR_PORT="3006")
    async with Source(None, variables, NONE).starting(open_demo, probes=()) as config:
        assert [provider.id for provider in config.providers] == ["anthropic", "groq"]
        assert config.router.default == (ModelTarget("anthropic"),)
        assert (config.source, config.server.port) == ("discovery", 3006)


async def test_with_nothing_at_all_the_demo_answers_as_long_as_the_block(here: Path) -> None:
    async with Source(None, environ(here), NONE).starting(open_demo, probes=()) as config:
        (provider,) = config.providers
        assert provider == demo_provider(provider.base_url)
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{provider.base_url}/models")).status_code == 200
            await client.aclose()
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{provider.base_url}/models")


async def test_an_address_that_others_can_reach_needs_a_client_key(here: Path) -> None:
    with pytest.raises(ConfigError, match="a client key is needed"):
        source = Source(None, environ(here, OPENAI_API_KEY="sk"), Overrides(host="0.0.0.0"))
        async with source.starting(open_demo, probes=()):
            pytest.fail("it was served")


CONFIG = Config(
    providers=(
        Provider("one", "anthropic", "http://one.test"),
        Provider("two", "openai-chat", "http://two.test", default_model="gpt-x", enabled=False),
    ),
    source="ucr.toml",
    warnings=("cors is ignored",),
)


def test_the_banner_says_what_was_found_and_how_claude_code_is_pointed_at_it() -> None:
    assert banner(CONFIG, 3001).split("\n") == [
        "ucr-trio serves http://127.0.0.1:3001  (configuration: ucr.toml)",
        "  warning: cors is ignored",
        "  provider one: anthropic, the model asked for",
        "  provider two: openai-chat, gpt-x, disabled",
        "point Claude Code at it:",
        "  export ANTHROPIC_BASE_URL=http://127.0.0.1:3001",
        '  export ANTHROPIC_AUTH_TOKEN="anything"',
    ]


@pytest.mark.parametrize(
    ("host", "shown"),
    [("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("::1", "[::1]"), ("10.0.0.5", "10.0.0.5")],
)
def test_the_banner_names_an_address_that_can_be_asked(host: str, shown: str) -> None:
    lines = banner(replace(CONFIG, server=Server(host=host)), 3000)
    assert f"ANTHROPIC_BASE_URL=http://{shown}:3000\n" in lines


def test_the_banner_asks_for_the_client_key_when_there_is_one() -> None:
    lines = banner(replace(CONFIG, clients=(Client("me", "0" * 64),)), 3000)
    assert lines.endswith('ANTHROPIC_AUTH_TOKEN="your client key"')


def test_the_banner_says_when_the_demo_answers() -> None:
    lines = banner(replace(CONFIG, providers=(demo_provider("http://127.0.0.1:1/v1"),)), 3000)
    assert "no key and no local server was found: the demo answers; see docs/getting-started.md" in lines


async def test_a_certificate_that_cannot_be_used_is_refused_at_the_start_and_at_a_reload(here: Path) -> None:
    (here / "ucr.toml").write_text(FILE.replace("port = 3005", "tls_cert = 'no'\ntls_key = 'no'"), "utf-8")
    source = Source(None, environ(here), NONE)
    with pytest.raises(ConfigError, match=r"server\.tls_cert = no: cannot be read"):
        source.read()
    with pytest.raises(ConfigError, match=r"server\.tls_cert = no: cannot be read"):
        async with source.starting(open_demo):
            pytest.fail("it was not refused")


GROQ = '[[providers]]\nid = "groq"\n[router]\ndefault = "groq"\n'


def test_what_signing_in_has_left_is_read_with_the_file(here: Path) -> None:
    (here / "ucr.toml").write_text(GROQ)
    state = here / "state"
    file = file_with(state, groq=Credential("api_key", Secret("gsk_typed")))
    config = from_file(None, environ(here, UCR_STATE_DIR=str(state)), NONE)
    assert config is not None
    assert config.providers[0].api_keys == (Secret("gsk_typed"),)
    assert Secret("gsk_typed") in config.secrets
    file.path.chmod(0o644)
    with pytest.raises(ConfigError) as caught:
        from_file(None, environ(here, UCR_STATE_DIR=str(state)), NONE)
    assert [problem.key for problem in caught.value.problems] == ["providers.groq.api_key", "credentials"]
    assert "chmod 600" in str(caught.value)
    config = from_file(None, environ(here, UCR_STATE_DIR=str(state), GROQ_API_KEY="gsk_set"), NONE)
    assert config is not None
    assert any("chmod 600" in warning for warning in config.warnings)


async def test_without_a_file_who_has_signed_in_is_found(here: Path) -> None:
    state = here / "state"
    file = file_with(state, groq=Credential("api_key", Secret("gsk_typed")))
    source = Source(None, environ(here, UCR_STATE_DIR=str(state)), NONE)
    async with source.starting(lambda: pytest.fail("no demo"), ()) as config:
        assert [entry.id for entry in config.providers] == ["groq"]
    file.path.write_text("damaged")
    with pytest.raises(ConfigError, match="damaged"):
        async with source.starting(lambda: pytest.fail("no demo"), ()):
            pass
