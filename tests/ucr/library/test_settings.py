"""What a program can open a router with."""

from pathlib import Path
from typing import Any

import pytest

from tests.world.router import config_of, provider
from ucr.config.model import Config
from ucr.errors import ConfigError
from ucr.library.settings import config_of as given

TABLES: dict[str, Any] = {
    "providers": [{"id": "groq", "api_key": "${A_KEY}"}, {"id": "deepseek"}],
    "router": {"default": "groq/llama"},
}


def test_tables_are_read_as_a_file_would_be(tmp_path: Path) -> None:
    environ = {"A_KEY": "one", "DEEPSEEK_API_KEY": "two", "UCR_CLIENT_KEY": "k", "HOME": str(tmp_path)}
    config = given(TABLES, environ)
    assert [entry.api_keys[0].reveal() for entry in config.providers] == ["one", "two"]
    assert (config.source, config.clients) == ("open_router", ())


def test_a_file_is_read_with_what_stands_over_it(tmp_path: Path) -> None:
    place = tmp_path / "mine.toml"
    place.write_text('[[providers]]\nid = "groq"\napi_key = "x"\n[router]\ndefault = "groq"\n', "utf-8")
    for path in (place, str(place)):
        config = given(path, {"HOME": str(tmp_path), "UCR_LOG_LEVEL": "error"})
        assert (config.source, config.logging.level) == (str(place), "error")


def test_a_configuration_is_taken_as_it_is() -> None:
    config = config_of(provider("up", "anthropic"))
    assert given(config, {}) is config


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    wrong = {"providers": [{"id": "groq", "prio": 1}], "router": {"default": "nobody"}, "cach": {}}
    with pytest.raises(ConfigError) as caught:
        given(wrong, {"HOME": str(tmp_path)})
    keys = [problem.key for problem in caught.value.problems]
    assert {"cach", "providers.groq.prio", "router.default", "providers.groq.api_key"} <= set(keys)
    assert str(caught.value).startswith("open_router: cach: ")


def test_what_is_named_and_not_there_is_said_with_the_rest() -> None:
    config = Config(router=config_of().router)
    from dataclasses import replace

    missing = replace(
        config,
        router=replace(config.router, custom="/nowhere/route.txt"),
        server=replace(config.server, tls_cert="/nowhere/a.pem", tls_key="/nowhere/b.pem"),
    )
    with pytest.raises(ConfigError) as caught:
        given(missing, {})
    assert {problem.key for problem in caught.value.problems} >= {"router.custom", "server.tls_cert"}


@pytest.mark.parametrize("wrong", [None, 3, "", "nowhere.toml", []])
def test_what_is_no_configuration_is_refused(
    wrong: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError):
        given(wrong, {"HOME": str(tmp_path)})
