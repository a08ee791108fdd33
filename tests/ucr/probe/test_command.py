import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ucr.commands import main

FILE = """
[[providers]]
id = "gone"
dialect = "openai-chat"
base_url = "http://127.0.0.1:1/v1"
[router]
default = "gone"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("UCR_CONFIG", "UCR_HOST", "UCR_PORT", "UCR_CLIENT_KEY", "UCR_PASSPHRASE", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("UCR_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "ucr.toml").write_text(FILE)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ("probe", *arguments))


def test_a_provider_that_is_not_there_fails_with_status_1(here: Path) -> None:
    result = run("gone/m", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert (told["target"], told["passed"]) == ("gone/m", False)
    assert [check["verdict"] for check in told["checks"]] == ["fails"]
    assert "gone/m\n  text                   fails " in run("gone/m").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("gone",), "write gone/MODEL"),
        (("nobody/m",), "there are: gone"),
        (("gone/m", "--config", "none.toml"), "no such file"),
    ],
)
def test_what_cannot_be_probed_is_told_with_status_2(
    here: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = run(*arguments)
    assert (result.exit_code, words in result.output) == (2, True)


def test_without_a_file_the_environment_says_who_is_there(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "ucr.toml").unlink()
    monkeypatch.setenv("GROQ_API_KEY", "gsk_a-key-that-is-long")
    result = run("nobody/m")
    assert result.exit_code == 2
    assert "groq" in result.output
    state = here / "state"
    state.mkdir()
    (state / "credentials.json").write_text("damaged")
    (state / "credentials.json").chmod(0o600)
    assert run("nobody/m").exit_code == 1
