import json
import os
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ucr.commands import main
from ucr.operate.seat import Seat


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_without_a_router_there_is_nothing_to_stop_and_the_status_says_how_to_start(home: Path) -> None:
    assert (run("stop").exit_code, run("stop").stdout) == (0, "no router runs in the background\n")
    result = run("status")
    assert (result.exit_code, result.stdout) == (
        1,
        "no router runs in the background; start it with: ucr-trio start\n",
    )
    assert json.loads(run("status", "--json").stdout) == {"running": False}


def test_a_state_folder_that_cannot_be_written_to_is_told_with_a_remedy(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").write_text("", "utf-8")
    monkeypatch.setenv("UCR_STATE_DIR", str(home / "file" / "state"))
    result = run("start")
    assert result.exit_code == 1
    assert result.stderr == f"ucr-trio: {home}/file/state: Not a directory; set UCR_STATE_DIR\n"


@pytest.mark.slow
def test_a_life_in_the_background(home: Path) -> None:
    first = json.loads(run("start", "--workers", "1", "--json").stdout)
    assert first["started"] is True
    again = run("start", "--port", "1")
    assert again.exit_code == 0
    assert f"already serves {first['url']}" in again.stdout
    assert "its options stay as they are" in again.stderr
    told = run("status")
    assert told.exit_code == 0
    assert told.stdout.startswith(f"ucr-trio at {first['url']}: ready\n")
    facts = json.loads(run("status", "--json").stdout)
    assert (facts["running"], facts["state"], facts["pid"]) == (True, "ready", first["pid"])
    assert run("stop").stdout == f"ucr-trio has stopped  (process {first['pid']})\n"
    assert os.waitstatus_to_exitcode(os.waitpid(first["pid"], 0)[1]) == 0
    assert run("status").exit_code == 1


@pytest.mark.slow
def test_a_router_that_was_killed_is_not_taken_for_a_running_one(home: Path) -> None:
    first = json.loads(run("start", "--workers", "1", "--json").stdout)
    os.kill(first["pid"], signal.SIGKILL)
    os.waitpid(first["pid"], 0)
    assert Seat(os.environ).running() is None
    second = json.loads(run("start", "--workers", "1", "--json").stdout)
    assert second["started"] is True
    assert second["pid"] != first["pid"]


@pytest.mark.slow
def test_what_the_router_said_is_shown_when_it_does_not_start(home: Path) -> None:
    (home / "ucr.toml").write_text("[server]\nport = 'x'\n", "utf-8")
    result = run("start")
    assert result.exit_code == 2
    assert "  ucr.toml: server.port = 'x'" in result.stderr
    assert f"ucr-trio: the router did not start: its process ended with status 2; its log is {home}" in (
        result.stderr
    )
