"""Files of the state folder that are this user's alone, and always whole: who reads needs no lock.

How this works. Whoever changes a file holds a lock (of the kernel's, which ends with its process), reads what stands
there now, writes a new file beside it, has that reach the disk, and renames it over the old one.
"""

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time change a file; the others wait. Its folder is made. Raise `OSError`."""
    make_folder(path.parent)
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def replace_whole(path: Path, data: bytes) -> None:
    """Put bytes in place of what a file holds, with mode 0600; on the disk when this returns. Raise `OSError`."""
    made = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with contextlib.ExitStack() as cleaned:
        cleaned.callback(made.unlink, missing_ok=True)
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
        with os.fdopen(os.open(made, flags, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    _settle(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder that nobody else can reach, and close one that others could."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) & OTHERS:
        folder.chmod(0o700)


def _settle(folder: Path) -> None:
    """Have the change of a name reach the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
