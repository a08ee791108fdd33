"""What a process sees to before it serves: descriptors, core files, standard input, and its parent's death."""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Mapping

DESCRIPTORS = 65_536
DEBUGGABLE = "UCR_DEBUGGABLE"
"""The variable of the environment that leaves processes open to debuggers and profilers of the same user."""

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def raise_descriptor_limit(wanted: int = DESCRIPTORS) -> int:
    """Raise the soft limit of open files as far as the hard one lets it; return what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        return limit
    return soft


def forbid_core_files() -> None:
    """Leave no memory image behind: keys and conversations would be in it."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def keep_memory_private(environ: Mapping[str, str]) -> None:
    """Let no other process of the same user look into this one, unless `UCR_DEBUGGABLE` is set (Linux only).

    It holds for the process that calls it: a program that is started later calls it itself.
    """
    if sys.platform == "linux" and not environ.get(DEBUGGABLE):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0)


def let_go_of_stdin() -> None:
    """Read nothing from whoever started this, and let no child do so; where there is a real standard input."""
    try:
        descriptor = sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is wanted, not a file
        os.dup2(nothing.fileno(), descriptor)


def die_with(parent_pid: int) -> None:
    """Be told by SIGTERM when the parent is gone, whatever it died of (Linux only).

    Linux means the thread that started this process: it must be one that lives as long as the parent. Raises
    `SystemExit` when the parent is gone already.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent_pid:
        raise SystemExit("the parent is gone")


def ignore_terminal() -> None:
    """Leave to the parent what a terminal sends to all processes, and what is meant for the parent alone."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
