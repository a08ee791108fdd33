import os
import signal
import sys
from dataclasses import replace

import pytest

from ucr.operate.identity import Held, identity_of

SLEEPER = [sys.executable, "-c", "import signal; signal.pause()"]


def sleeper() -> int:
    return os.posix_spawn(sys.executable, SLEEPER, dict(os.environ))


def reaped(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def nothing() -> None:
    """Be called while somebody waits."""


def test_a_process_is_the_same_each_time_and_none_when_it_has_ended() -> None:
    pid = sleeper()
    found = identity_of(pid)
    assert found is not None
    assert identity_of(pid) == found
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert identity_of(pid) is None, "what is left of a process until it is waited for is no process"
    reaped(pid)
    assert identity_of(pid) is None


def test_a_signal_reaches_the_process_that_is_meant() -> None:
    pid = sleeper()
    found = identity_of(pid)
    assert found is not None
    with Held(found) as held:
        assert held.is_there
        held.tell(signal.SIGTERM)
        assert held.wait(60, nothing)
        held.tell(signal.SIGTERM)
    assert reaped(pid) == -signal.SIGTERM


@pytest.mark.parametrize("other", [{"started": "1"}, {"boot": "another run of the machine"}])
def test_a_process_that_has_the_same_number_only_gets_no_signal(other: dict[str, str]) -> None:
    mine = identity_of(os.getpid())
    assert mine is not None
    with Held(replace(mine, **other)) as held:
        assert not held.is_there
        held.tell(signal.SIGKILL)
        assert held.wait(0, nothing)


def test_who_waits_is_called_until_the_limit() -> None:
    mine = identity_of(os.getpid())
    assert mine is not None
    calls: list[None] = []
    with Held(mine) as held:
        assert not held.wait(0.001, lambda: calls.append(None))
    assert len(calls) <= 1
