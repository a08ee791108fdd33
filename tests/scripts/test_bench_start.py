import os
import signal
import subprocess
import sys

import pytest
import trio
from bench_start import role_of

from ucr.stress.real.load import until
from ucr.stress.real.router import send


def test_the_first_process_is_the_parent() -> None:
    assert role_of(os.getpid(), os.getpid()) == "parent"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "role"), [(("ucr.worker", "--slot", "3"), "worker 3"), (("ucr.store",), "store")]
)
async def test_the_others_are_known_by_their_command_line(arguments: tuple[str, ...], role: str) -> None:
    command = [sys.executable, "-c", "input()", *arguments]
    process = await trio.lowlevel.open_process(command, stdin=subprocess.PIPE)
    try:
        with trio.fail_after(30):
            await until(lambda: role_of(process.pid, 0) == role)
    finally:
        send(process.pid, signal.SIGKILL)
        await process.wait()
        if process.stdin is not None:
            await process.stdin.aclose()
