"""What the tests of these commands share: an empty home, and a router in the background that does not outlive a test."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ucr.catalogue import ROWS
from ucr.operate.background import stopped
from ucr.operate.seat import Seat

ROOT = Path(__file__).parents[3]
CLIENTS = ("ANTHROPIC_", "CLAUDE_", "CODEX_", "OPENAI_")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to stand in and be at home in, an environment without keys, and nobody in the background."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    ours = [name for name in os.environ if name.startswith(("UCR_", "XDG_", *CLIENTS))]
    for name in (*ours, *(name for row in ROWS for name in row.key_variables)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UCR_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("UCR_PORT", "0")
    yield tmp_path
    seat = Seat(os.environ)
    if (running := seat.running()) is not None:
        stopped(seat, running, 60, at_once=True)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(running.pid, 0)
