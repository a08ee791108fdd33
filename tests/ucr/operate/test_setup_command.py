from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ucr.commands import main
from ucr.config.model import Provider
from ucr.operate import setup_command
from ucr.operate.setup_command import Found

LOCAL = Provider("lmstudio", "openai-chat", "http://127.0.0.1:1234/v1", auth="none", default_model="m")
OTHER = Provider("llamacpp", "openai-chat", "http://127.0.0.1:8080/v1", auth="none", default_model="m")


def run(*arguments: str, said: str = "") -> Result:
    return CliRunner().invoke(main, ["setup", *arguments], input=said)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_command, "_found", lambda: Found((LOCAL, OTHER), frozenset({"lmstudio"})))


@pytest.fixture
def none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_command, "_found", Found)


def test_without_questions_all_that_is_found_is_used_and_nothing_is_overwritten(home: Path, two: None) -> None:
    result = run("--yes", "--port", "4000")
    file = home / ".config" / "ucr" / "ucr.toml"
    assert result.exit_code == 0, result.output
    assert f"{file} is written" in result.stdout
    assert result.stdout.endswith("  ucr-trio code\n")
    assert "export" not in result.stdout
    assert 'default = "llamacpp"' in file.read_text("utf-8"), "not the one that failed"
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


def test_a_provider_that_failed_is_not_used_unless_one_says_so(home: Path, two: None) -> None:
    assert run("--config", "u.toml", said="\n\n").exit_code == 0
    text = (home / "u.toml").read_text("utf-8")
    assert "lmstudio" not in text
    assert 'id = "llamacpp"' in text


def test_where_nothing_is_found_the_provider_to_come_is_asked_for_and_its_key_is_named(
    home: Path, none: None
) -> None:
    result = run("--config", "u.toml", said="groq\n")
    assert result.exit_code == 0, result.output
    assert "next:\n  export GROQ_API_KEY=...  # the key" in result.stdout
    text = (home / "u.toml").read_text("utf-8")
    assert 'api_key = "${GROQ_API_KEY}"' in text
    assert 'default = "groq"' in text
    assert CliRunner().invoke(main, ["check", "--config", "u.toml"]).exit_code == 2
    told = CliRunner().invoke(main, ["check", "--config", "u.toml"], env={"GROQ_API_KEY": "k"})
    assert told.exit_code == 0, told.output


def test_without_questions_the_usual_provider_is_the_one_to_come(home: Path, none: None) -> None:
    result = run("--yes")
    assert result.exit_code == 0, result.output
    assert "export OPENROUTER_API_KEY=..." in result.stdout


def test_whoever_leaves_in_the_middle_is_told_that_nothing_was_written(home: Path, two: None) -> None:
    result = run("--config", "u.toml", said="y\n")
    assert result.exit_code == 1
    assert "nothing was written" in result.stderr
    assert not (home / "u.toml").exists()
