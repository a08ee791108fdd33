import os
from pathlib import Path

import pytest

from ucr.operate.answering import readiness
from ucr.operate.background import NotStarted, started, stopped
from ucr.operate.seat import Seat

FILE = """
[[providers]]
id = "local"
dialect = "openai-chat"
base_url = "http://127.0.0.1:9/v1"
[router]
default = "local"
"""


def seat_of() -> Seat:
    return Seat(os.environ)


@pytest.mark.slow
def test_a_router_serves_when_the_command_returns_and_has_ended_when_the_other_does(home: Path) -> None:
    (home / "ucr.toml").write_text(FILE, "utf-8")
    seat = seat_of()
    with seat.locked():
        running = started(seat, ("--workers", "1"), None, os.environ)
    assert seat.running() == running
    assert running.config == str(home / "ucr.toml")
    assert readiness(running.url, running.config, os.environ) == "ready"
    assert "ucr-trio serves " + running.url in seat.log.read_text("utf-8")
    assert stopped(seat, running, 60, at_once=False)
    os.waitpid(running.pid, 0)
    assert seat.running() is None
    assert readiness(running.url, None, os.environ).startswith("no answer (")
    assert '"event":"router.stopped"' in seat.log.read_text("utf-8").replace(" ", "")


@pytest.mark.slow
def test_a_router_that_does_not_start_leaves_nobody_and_its_last_words(home: Path) -> None:
    (home / "ucr.toml").write_text(FILE.replace('"local"\ndialect', '"other"\ndialect'), "utf-8")
    seat = seat_of()
    with seat.locked(), pytest.raises(NotStarted, match="ended with status 2") as failed:
        started(seat, (), None, os.environ)
    assert failed.value.status == 2
    (line,) = failed.value.lines
    assert line.startswith("ucr.toml: router.default = 'local': there is no provider 'local'")
    assert seat.running() is None
