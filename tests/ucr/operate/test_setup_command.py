from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ucr.commands import main
from ucr.config.model import Provider
from ucr.operate import setup_command

LOCAL = Provider("lmstudio", "openai-chat", "http://127.0.0.1:1234/v1", auth="none", default_model="m")
OTHER = Provider("llamacpp", "openai-chat", "http://127.0.0.1:8080/v1", auth="none", default_model="m")


def run(*arguments: str, said: str = "") -> Result:
    return CliRunner().invoke(main, ["setup", *arguments], input=said)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_command, "_found", lambda: (LOCAL, OTHER))


def test_without_questions_all_that_is_found_is_used_and_nothing_is_overwritten(home: Path, two: None) -> None:
    result = run("--yes", "--port", "4000")
    file = home / ".config" / "ucr" / "ucr.toml"
    assert result.exit_code == 0, result.output
    assert f"{file} is written" in result.stdout
    assert "ucr-trio code, once it is installed" in result.stdout or "ucr-trio code\n" in result.stdout
    before = file.read_text("utf-8")
    assert CliRunner().invoke(main, ["check", "--config", str(file)]).exit_code == 0
    again = run("--yes")
    assert again.exit_code == 1
    assert "is there already and stays as it is" in again.stderr
    assert file.read_text("utf-8") == before


def test_what_is_asked_is_heeded(home: Path, two: None) -> None:
    result = run("--config", "u.toml", said="y\ny\nllamacpp\n")
    assert result.exit_code == 0, result.output
    assert 'default = "llamacpp"' in (home / "u.toml").read_text("utf-8")
    assert run("--config", "u.toml", said="n\n").exit_code == 1
    over = run("--config", "u.toml", said="y\nn\ny\n")
    assert over.exit_code == 0, over.output
    text = (home / "u.toml").read_text("utf-8")
    assert "lmstudio" not in text
    assert 'default = "llamacpp"' in text
