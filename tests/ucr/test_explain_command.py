import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ucr.commands import main

FILE = """
[[providers]]
id = "local"
dialect = "openai-chat"
base_url = "http://127.0.0.1:9101/v1"
default_model = "gpt-x"

[router]
default = "local"

[[router.rules]]
name = "red"
when.headers = { x-team = "red" }
to = "local/red"
"""
BODY = json.dumps({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]})


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("UCR_CONFIG", "UCR_HOST", "UCR_PORT", "UCR_CLIENT_KEY", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "ucr.toml").write_text(FILE)
    (tmp_path / "request.json").write_text(BODY)
    return tmp_path


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, ("explain", *arguments), input=text)


def test_a_request_of_a_file_is_explained_in_words(here: Path) -> None:
    result = run("--file", "request.json")
    assert result.exit_code == 0
    assert "default   local  <- decides" in result.stdout
    assert "red       does not hold: headers.x-team" in result.stdout


def test_a_request_of_standard_input_is_explained_as_json(here: Path) -> None:
    result = run("--file", "-", "--json", "--header", "X-Team: red", text=BODY)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["route"] == "rule:red"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--file", "nowhere.json"), 1, "nowhere.json"),
        (("--file", "ucr.toml"), 1, "not valid JSON"),
        (("--file", "request.json", "--config", "nowhere.toml"), 2, "nowhere.toml"),
        (("--file", "request.json", "--header", "x-team"), 2, "must be NAME:VALUE"),
        (("--file", "request.json", "--dialect", "gopher"), 2, "is none of anthropic"),
        ((), 2, "--file"),
    ],
)
def test_what_cannot_be_explained_is_told(
    here: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == status
    assert words in result.output


def test_a_request_that_would_be_refused_ends_with_1(here: Path) -> None:
    (here / "ucr.toml").write_text(FILE.replace('default = "local"', ""))
    result = run("--file", "request.json")
    assert result.exit_code == 1
    assert "refused: 404" in result.stdout


def test_without_a_configuration_there_is_nothing_to_explain_by(here: Path) -> None:
    (here / "ucr.toml").unlink()
    result = run("--file", "request.json")
    assert (result.exit_code, "--config" in result.output) == (2, True)
