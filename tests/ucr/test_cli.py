import subprocess
import sys
from pathlib import Path

import pytest

from ucr import __version__
from ucr.cli import main

ROOT = str(Path(__file__).parents[2])


def test_the_version_is_that_of_the_package(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["ucr-trio", "--version"])
    main()
    assert capsys.readouterr().out == f"ucr-trio, version {__version__}\n"


@pytest.mark.slow
@pytest.mark.parametrize(("argument", "status"), [("--help", 0), ("nonsense", 2)])
def test_anything_else_is_a_command(argument: str, status: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ucr.cli", argument], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert done.returncode == status
    assert (done.stdout + done.stderr).startswith("Usage: ucr-trio ")


@pytest.mark.slow
def test_a_worker_that_was_begun_for_a_wrong_command_line_leaves_no_word_and_no_process() -> None:
    command = [sys.executable, "-m", "ucr.cli", "serve", "--config", "/nowhere/ucr.toml"]
    # It would hold the pipes open: that there is an end of them says that it is gone.
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "/nowhere/ucr.toml: --config: there is no such file\n"
