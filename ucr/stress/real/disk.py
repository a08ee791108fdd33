"""A disk that can be filled and given room again: one in memory for root, else a limit on how long files may be."""

import os
import resource
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

SIZE = "64m"
"""Far more than the router writes within a run, so that nothing but the ballast makes it full."""
LIMIT_BYTES = 4096
"""With a limit no file may grow beyond so many bytes: whatever is written to a larger one fails."""
PIECE_BYTES = 64 * 1024


class Disk(Protocol):
    """Where the router's files are. `pids` are the processes that must find it full, or no longer full."""

    @property
    def kind(self) -> str: ...

    @property
    def folder(self) -> Path: ...

    def fill(self, pids: Iterable[int]) -> None: ...

    def free(self, pids: Iterable[int]) -> None: ...


class MemoryDisk:
    """A file system in memory, which a file of ballast fills to the last byte."""

    kind = f"a file system of {SIZE.upper()}iB in memory"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, pids: Iterable[int]) -> None:
        with self._ballast.open("wb", buffering=0) as file:
            for size in (PIECE_BYTES, 1):
                _write_until_full(file.fileno(), size)

    def free(self, pids: Iterable[int]) -> None:
        self._ballast.unlink()


class LimitedDisk:
    """A folder, in which processes that exist may write no more beyond the first few kilobytes of a file."""

    kind = "a limit on the size of files"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._before: tuple[int, int] = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self, pids: Iterable[int]) -> None:
        self._limit(pids, (LIMIT_BYTES, self._before[1]))

    def free(self, pids: Iterable[int]) -> None:
        self._limit(pids, self._before)

    def _limit(self, pids: Iterable[int], limit: tuple[int, int]) -> None:
        for pid in pids:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)


def _write_until_full(descriptor: int, size: int) -> None:
    piece = bytes(size)
    try:
        while os.write(descriptor, piece) == size:
            pass
    except OSError:
        return


@contextmanager
def disk_in(folder: Path, *, is_root: bool) -> Iterator[Disk]:
    """Give a disk in this folder, which is made: one in memory where root may mount that."""
    folder.mkdir(parents=True)
    if not is_root or not _does(
        "mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "ucr-stress", str(folder)
    ):
        yield LimitedDisk(folder)
        return
    try:
        yield MemoryDisk(folder)
    finally:
        _does("umount", "-l", str(folder))


def _does(*command: str) -> bool:
    """Run a program of the system's; False when it is not there or fails."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
