import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ucr.commands import main
from ucr.operate.seat import Seat

FILE = """
[[providers]]
id = "groq"
api_key = "k"
context_window = 64000
[router]
default = "groq/m1"
"""
CLIENT = f"""#!{sys.executable}
import json, os, sys
wanted = ("ANTHROPIC_", "CLAUDE_CODE_", "UCR_CODEX")
environ = {{name: value for name, value in os.environ.items() if name.startswith(wanted)}}
print(json.dumps([sys.argv, environ]))
sys.exit(7)
"""


def installed(home: Path, name: str) -> None:
    program = home / "bin" / name
    program.parent.mkdir(exist_ok=True)
    program.write_text(CLIENT, "utf-8")
    program.chmod(0o755)


def run(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ucr.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env={**os.environ, "PATH": str(home / "bin")},
    )


@pytest.mark.parametrize(("command", "remedy"), [("code", "claude-code"), ("codex", "@openai/codex")])
def test_a_client_that_is_not_installed_is_told_before_anything_is_started(
    home: Path, command: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(home))
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 1
    assert "is not installed, or not on PATH" in result.stderr
    assert remedy in result.stderr
    assert Seat(os.environ).running() is None


@pytest.mark.slow
def test_claude_code_gets_its_arguments_untouched_and_gives_its_own_status(home: Path) -> None:
    (home / "ucr.toml").write_text(FILE, "utf-8")
    installed(home, "claude")
    words = ("--help", "-p", 'it\'s $HOME; "quoted" *', "--", "--config", "x")
    done = run(home, "code", *words)
    assert done.returncode == 7, done.stderr
    arguments, environ = json.loads(done.stdout)
    running = Seat(os.environ).running()
    assert running is not None
    assert arguments[1:] == list(words)
    assert environ["ANTHROPIC_BASE_URL"] == running.url
    assert environ["ANTHROPIC_AUTH_TOKEN"] == "ucr"
    assert environ["ANTHROPIC_MODEL"] == "m1"
    assert environ["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "64000"


@pytest.mark.slow
def test_codex_gets_the_router_before_its_own_arguments(home: Path) -> None:
    (home / "ucr.toml").write_text(FILE, "utf-8")
    installed(home, "codex")
    done = run(home, "codex", "exec", "--json", "hello")
    assert done.returncode == 7, done.stderr
    arguments, environ = json.loads(done.stdout)
    running = Seat(os.environ).running()
    assert running is not None
    assert f'model_providers.ucr.base_url="{running.url}/v1"' in arguments
    assert arguments[-3:] == ["exec", "--json", "hello"]
    assert environ["UCR_CODEX_TOKEN"] == "ucr"


@pytest.mark.slow
def test_settings_that_lead_claude_code_elsewhere_are_told(home: Path) -> None:
    (home / "ucr.toml").write_text(FILE, "utf-8")
    installed(home, "claude")
    (home / ".claude").mkdir()
    (home / ".claude" / "settings.json").write_text('{"env": {"ANTHROPIC_BASE_URL": "https://x"}}', "utf-8")
    done = run(home, "code")
    assert (done.returncode, done.stdout) == (2, "")
    assert "env.ANTHROPIC_BASE_URL = https://x goes before the router's address" in done.stderr


@pytest.mark.slow
def test_a_configuration_that_is_wrong_starts_nobody(home: Path) -> None:
    (home / "ucr.toml").write_text("[server]\nport = 'x'\n", "utf-8")
    installed(home, "claude")
    done = run(home, "code")
    assert (done.returncode, done.stdout) == (2, "")
    assert "server.port = 'x'" in done.stderr
