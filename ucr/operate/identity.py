"""Which process is meant: a process id alone may be another process's by now.

Two things beside it make it certain: when the process started, and in which run of the machine. Linux tells both in
/proc; elsewhere `ps` tells the first. A signal then goes through a descriptor of the process where the system has
such, so that it cannot reach another one that took the number in between.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LOOK_S = 0.2
"""How often a waiting command looks, and shows that it still waits."""

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_STARTED = 19
"""The place of the start among the fields of /proc/PID/stat that follow the state (proc(5), field 22)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A process as it was found. `started` and `boot` are texts to compare and nothing else."""

    pid: int
    started: str
    boot: str


def identity_of(pid: int) -> Identity | None:
    """Return who has this process id now; None when nobody has, or only what is left of one that has ended."""
    started = _started_on_linux(pid) if sys.platform == "linux" else _started_elsewhere(pid)
    return Identity(pid, started, _boot()) if started else None


def _started_on_linux(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    state, *rest = text.rpartition(")")[2].split()
    return None if state in "ZX" else rest[_STARTED - 1]


def _started_elsewhere(pid: int) -> str | None:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split(maxsplit=1)
    return None if len(told) < 2 or told[0].startswith("Z") else told[1].strip()


def _boot() -> str:
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return ""


class Held:
    """A process that is certainly the one that was meant, as long as the block of `with` lasts."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._descriptor: int | None = None

    def __repr__(self) -> str:
        return f"<Held {self._identity.pid}>"

    def __enter__(self) -> "Held":
        if sys.platform == "linux":
            try:
                self._descriptor = os.pidfd_open(self._identity.pid)
            except OSError:
                self._descriptor = None
        return self

    def __exit__(self, *_error: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    @property
    def is_there(self) -> bool:
        """True as long as the process has not ended."""
        return identity_of(self._identity.pid) == self._identity

    def tell(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when the process has ended. Raise `PermissionError` for another user's."""
        if not self.is_there:
            return
        try:
            if self._descriptor is not None:
                signal.pidfd_send_signal(self._descriptor, number)
            else:
                os.kill(self._identity.pid, number)
        except ProcessLookupError:
            return

    def wait(self, limit_s: float, tick: Callable[[], None]) -> bool:
        """Return true when the process has ended, false when the limit came first; `tick` is called while it waits."""
        deadline = time.monotonic() + limit_s
        while self.is_there:
            if time.monotonic() >= deadline:
                return False
            self._rest()
            tick()
        return True

    def _rest(self) -> None:
        if self._descriptor is None:
            time.sleep(LOOK_S)
        else:
            select.select([self._descriptor], [], [], LOOK_S)
