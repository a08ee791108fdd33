import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ucr import hygiene

ROOT = str(Path(__file__).parents[2])


def python(code: str, **more: object) -> str:
    """Run a line of Python in a process of its own, which it may harm."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=30, **more)  # type: ignore[call-overload]
    return str(done.stdout + done.stderr)


def test_the_limit_of_descriptors_is_raised_as_far_as_it_may_be() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    code = (
        "import resource; from ucr import hygiene\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, (64, {min(hard, 4096)}))\n"
        "print(hygiene.raise_descriptor_limit(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    assert python(code).split() == [str(min(hard, 4096))] * 2


def test_a_high_limit_is_left_as_it_is() -> None:
    assert hygiene.raise_descriptor_limit(1) == resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def test_there_are_no_core_files() -> None:
    code = (
        "import resource; from ucr import hygiene; hygiene.forbid_core_files();"
        "print(resource.getrlimit(resource.RLIMIT_CORE)[0])"
    )
    assert python(code) == "0\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can")
@pytest.mark.parametrize(("environ", "dumpable"), [({}, "0"), ({"UCR_DEBUGGABLE": "1"}, "1")])
def test_nobody_looks_into_a_process_unless_it_is_to_be_debugged(
    environ: dict[str, str], dumpable: str
) -> None:
    code = (
        f"import ctypes; from ucr import hygiene; hygiene.keep_memory_private({environ!r});"
        "print(ctypes.CDLL(None).prctl(3))"
    )
    assert python(code) == f"{dumpable}\n"


def test_standard_input_is_let_go_of() -> None:
    code = "from ucr import hygiene; hygiene.let_go_of_stdin(); print(repr(open(0).read()))"
    assert python(code, input="secret") == "''\n"


def test_where_there_is_no_real_standard_input_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.fstat(0)
    monkeypatch.setattr("sys.stdin", None)
    hygiene.let_go_of_stdin()
    assert os.fstat(0) == before


def test_a_process_whose_parent_is_gone_does_not_start() -> None:
    assert python("from ucr import hygiene; hygiene.die_with(1)") == "the parent is gone\n"


def test_a_process_is_told_when_its_parent_dies() -> None:
    code = (
        "import ctypes, os; from ucr import hygiene; hygiene.die_with(os.getppid());"
        "n = ctypes.c_int(); ctypes.CDLL(None).prctl(2, ctypes.byref(n)); print(n.value)"
    )
    assert python(code) == f"{int(signal.SIGTERM)}\n"


def test_what_a_terminal_sends_is_ignored() -> None:
    code = (
        "import os, signal; from ucr import hygiene; hygiene.ignore_terminal();"
        "[os.kill(os.getpid(), n) for n in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR2)]; print('lives')"
    )
    assert python(code) == "lives\n"
