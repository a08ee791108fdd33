"""The beginning of a worker's process; how it goes on is tested in tests/e2e/test_workers.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ucr.worker_process import Post

ROOT = str(Path(__file__).parents[2])


def test_a_command_line_says_whose_worker_it_is() -> None:
    assert Post.of(["--slot=2", "--parent=10", "--control=5"]) == Post(2, 10, 5)


@pytest.mark.slow
def test_a_worker_of_another_parent_ends_at_once() -> None:
    command = [
        sys.executable,
        "-m",
        "ucr.worker_process",
        "--slot=0",
        f"--parent={os.getppid()}",
        "--control=0",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stderr) == (1, "the parent is gone\n")
