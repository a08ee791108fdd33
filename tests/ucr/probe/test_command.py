import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ucr.commands import main
from ucr.config.model import Config
from ucr.probe.card import Results
from ucr.probe.checks import CHECKS, Seen

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


def test_of_a_provider_that_is_not_there_no_card_is_saved(here: Path) -> None:
    result = run("gone/m", "--save")
    assert (result.exit_code, "the card is not saved" in result.stderr) == (1, True)
    assert not (here / "state" / "cards.json").exists()


def test_a_saved_card_is_shown_by_check_and_not_gone_by_when_probing(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answered(config: Config, _model: str) -> Results:
        assert config.providers[0].cards == ()
        return tuple((check, Seen("works", "ok")) for check in CHECKS)

    monkeypatch.setattr("ucr.probe.command._probed", answered)
    (here / "ucr.toml").write_text(FILE.replace("[router]", 'api_key = "k"\n[router]'))
    assert run("gone/m", "--save").exit_code == 0
    result = run("gone/m", "--save", "--json")
    assert json.loads(result.stdout)["passed"]
    assert f"saved in {here}/state/cards.json; " in result.stderr
    told = CliRunner().invoke(main, ("check",)).stdout.splitlines()
    assert told[0].startswith("card of gone/m of 2")
    assert told[0].endswith("Z: nothing that is not known already")
    (here / "state" / "cards.json").unlink()
    (here / "state" / "cards.json").mkdir()
    result = run("gone/m", "--save")
    assert (result.exit_code, "cannot be written" in result.stderr) == (1, True)
