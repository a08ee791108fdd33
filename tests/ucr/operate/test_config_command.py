import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ucr.commands import main

FILE = '[[providers]]\nid = "groq"\napi_key = "sk-secret"\n[server]\nport = 4000\n[router]\ndefault = "groq"\n'


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["config", *arguments])


def test_a_first_file_is_written_and_never_overwritten(home: Path) -> None:
    assert run("init").exit_code == 0
    assert "OPENROUTER_API_KEY" in (home / "ucr.toml").read_text("utf-8")
    again = run("init")
    assert (again.exit_code, "stays as it is" in again.stderr) == (1, True)


def test_the_schema_is_that_of_the_docs() -> None:
    assert json.loads(run("schema").stdout)["properties"]["server"]


def test_every_value_is_shown_with_its_origin_and_no_secret(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "ucr.toml").write_text(FILE, "utf-8")
    monkeypatch.setenv("UCR_LOG_LEVEL", "debug")
    monkeypatch.delenv("UCR_PORT")
    result = run("show")
    assert "server.port = 4000  # ucr.toml\n" in result.stdout
    assert 'server.host = "127.0.0.1"  # default\n' in result.stdout
    assert 'logging.level = "debug"  # UCR_LOG_LEVEL\n' in result.stdout
    assert 'providers.groq.api_key = "***"  # ucr.toml\n' in result.stdout
    assert "sk-secret" not in result.output
    told = json.loads(run("show", "--json").stdout)
    assert {"key": "server.port", "value": 4000, "origin": "ucr.toml"} in told


def test_what_is_wrong_after_an_edit_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("edit").exit_code == 2
    (home / "ucr.toml").write_text(FILE, "utf-8")
    (home / "editor").write_text("#!/bin/sh\necho '[cash]' >> \"$1\"\n", "utf-8")
    (home / "editor").chmod(0o755)
    monkeypatch.setenv("VISUAL", "true")
    assert run("edit").stdout == "ucr.toml: ok\n"
    monkeypatch.setenv("VISUAL", str(home / "editor"))
    broken = run("edit")
    assert broken.exit_code == 2
    assert "cash" in broken.stderr


def test_no_editor_is_opened_where_no_terminal_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "ucr.toml").write_text(FILE, "utf-8")
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    refused = run("edit")
    assert (refused.exit_code, "set VISUAL" in refused.stderr, "ucr.toml" in refused.stderr) == (2, True, True)
