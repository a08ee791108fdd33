"""Child processes: started from the main thread, with exactly the descriptors that they are given.

Linux ties a child to the *thread* that started it: what is to be told of its parent's death (`hygiene.die_with`)
must not be started from a thread of a pool, which is where `trio.run_process` starts things.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import trio

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended: with a status, or by a signal."""

    status: int | None
    signal: str | None

    def __str__(self) -> str:
        return f"signal {self.signal}" if self.signal else f"status {self.status}"


def python_module(module: str, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command `python -m module arguments…`, for this very Python.

    Nothing is loaded from the folder in which the router was started (`-P`): whatever lies there is somebody else's.
    """
    return (sys.executable, "-P", "-m", module, *arguments)


class ChildProcess:
    """A process that was started by this one.

    What has a group of its own (`is_group`) is killed with all that it has started and that has not left the group.
    """

    def __init__(self, process: subprocess.Popen[bytes], *, is_group: bool = False) -> None:
        self._is_group = is_group
        self._popen = process
        self.pid = process.pid

    def __repr__(self) -> str:
        return f"<ChildProcess {self.pid}>"

    def kill(self) -> None:
        # Until it is waited for its number is its own, and that of its group, whatever became of it.
        if self._is_group and self._popen.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self._popen.kill()

    def terminate(self) -> None:
        self._popen.terminate()

    async def wait(self) -> Exit:
        """Return how the process ended, once it has."""
        if hasattr(os, "pidfd_open"):
            await self._wait_pidfd()
        while self._popen.poll() is None:  # noqa: ASYNC110 - only where the system cannot tell
            await trio.sleep(_POLL_S)
        return exit_of(self._popen.returncode)

    async def _wait_pidfd(self) -> None:
        if self._popen.poll() is not None:
            return
        descriptor = os.pidfd_open(self.pid)
        try:
            await trio.lowlevel.wait_readable(descriptor)
        finally:
            trio.lowlevel.notify_closing(descriptor)
            os.close(descriptor)


def start_child(
    command: Sequence[str],
    descriptors: tuple[int, ...],
    environment: Mapping[str, str] | None = None,
    *,
    is_group: bool = False,
) -> ChildProcess:
    """Start a command; it inherits stdout, stderr, `descriptors` and, where none is given, the environment."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        pass_fds=descriptors,
        env=environment,
        process_group=0 if is_group else None,
    )
    return ChildProcess(process, is_group=is_group)


def exit_of(returncode: int) -> Exit:
    """Return what subprocess's one number means."""
    if returncode >= 0:
        return Exit(returncode, None)
    try:
        return Exit(None, signal.Signals(-returncode).name)
    except ValueError:
        return Exit(None, str(-returncode))
