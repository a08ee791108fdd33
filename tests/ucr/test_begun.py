import signal
import socket
import sys
from pathlib import Path

import pytest

from ucr import listening
from ucr.begun import Begun, ahead, is_to_serve


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["serve"], True),
        (["serve", "--port", "1"], True),
        (["serve", "--in-process"], False),
        (["serve", "--help"], False),
        (["serve", "-h"], False),
        (["check", "serve"], False),
        ([], False),
    ],
)
def test_only_what_will_want_a_worker_begins_one(arguments: list[str], expected: bool) -> None:
    assert is_to_serve(arguments) is expected


def test_other_commands_have_none() -> None:
    with ahead(["check"]) as begun:
        assert begun is None


def test_one_that_cannot_be_started_is_left_to_whoever_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with ahead(["serve"]) as begun:
        assert begun is None


@pytest.mark.slow
def test_one_that_nobody_takes_is_gone_after_the_block() -> None:
    with ahead(["serve"]) as begun:
        assert begun is not None
        assert repr(begun) == f"<Begun {begun.process.pid}>"
        assert begun.process.poll() is None
    assert begun.process.returncode == -signal.SIGKILL
    assert begun.control.fileno() == -1


@pytest.mark.slow
@pytest.mark.parametrize("module", ["http", "ucr"])
def test_modules_of_the_folder_it_is_begun_in_are_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    (tmp_path / f"{module}.py").write_text("raise SystemExit(77)")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.chdir(tmp_path)
    with Begun(0) as begun:
        process, control = begun.take()
    bound = socket.create_server(("127.0.0.1", 0))
    with bound, control:
        listening.pass_on(control, (bound,))
    assert process.wait(60) != 77


@pytest.mark.slow
def test_one_that_is_taken_stays_until_its_parent_wants_it_no_more() -> None:
    with Begun(3) as begun:
        process, control = begun.take()
    assert repr(begun) == f"<Begun {process.pid}, taken>"
    assert process.poll() is None
    control.close()
    assert process.wait(60) == 0
