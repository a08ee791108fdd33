import errno
import os
from pathlib import Path

import pytest

from ucr.operate.answering import readiness
from ucr.operate.background import NotStarted, started, stopped
from ucr.operate.identity import Held
from ucr.operate.seat import Running, Seat

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


class Full(Seat):
    """A seat on a disk that is full."""

    running_at_last: Running | None = None

    def take(self, running: Running) -> None:
        self.running_at_last = running
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.slow
def test_a_router_that_cannot_be_written_down_does_not_go_on_unknown(home: Path) -> None:
    (home / "ucr.toml").write_text(FILE, "utf-8")
    seat = Full(os.environ)
    with seat.locked(), pytest.raises(OSError, match="No space left"):
        started(seat, ("--workers", "1"), None, os.environ)
    running = seat.running_at_last
    assert running is not None
    with Held(running.identity) as held:
        assert held.wait(60, lambda: None)
    os.waitpid(running.pid, 0)


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
