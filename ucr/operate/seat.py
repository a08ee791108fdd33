"""The one router that runs in the background for a state directory: the file that tells who it is, and its log."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from ucr import jsontext
from ucr.config.places import state_folder
from ucr.operate.identity import Identity, identity_of

PID_FILE, LOG_FILE, LOCK_FILE = "router.pid", "router.log", "router.lock"

LOG_LIMIT_BYTES = 16 * 1024 * 1024
"""A log that is larger at a start is moved aside; there is one former log at most."""

TAIL_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class Running:
    """A router in the background: its parent process, where it listens, and what it serves.

    `since` is a moment of UTC in the form of ISO 8601; `config` is None for one that found its providers by itself.
    """

    pid: int
    started: str
    boot: str
    url: str
    config: str | None
    since: str

    @property
    def identity(self) -> Identity:
        """Return what makes its process certain."""
        return Identity(self.pid, self.started, self.boot)


class Seat:
    """The place in the state directory for a router in the background."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.folder = Path(state_folder(environ))
        self.log = self.folder / LOG_FILE
        self._pid = self.folder / PID_FILE

    def __repr__(self) -> str:
        return f"<Seat {self.folder}>"

    def running(self) -> Running | None:
        """Return the router that sits here; None when there is none, or its process has ended."""
        found = self._read()
        return found if found is not None and identity_of(found.pid) == found.identity else None

    def _read(self) -> Running | None:
        try:
            told = jsontext.loads(self._pid.read_bytes())
            running = Running(**told)
        except (OSError, jsontext.JsonError, TypeError):
            return None
        return running if isinstance(running.pid, int) else None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one command at a time start or stop a router here; the others wait. Raise `OSError`."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.folder / LOCK_FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def take(self, running: Running) -> None:
        """Write down who sits here from now on; whoever reads meanwhile sees the former or the new one whole."""
        written = self._pid.with_suffix(".new")
        with os.fdopen(_opened(written, os.O_TRUNC), "wb") as file:
            file.write(jsontext.dumps(asdict(running)))
        written.replace(self._pid)

    def leave(self, running: Running) -> None:
        """Forget who sat here, unless another one does by now."""
        if self._read() == running:
            self._pid.unlink(missing_ok=True)

    def open_log(self) -> tuple[int, int]:
        """Open the log to append to it; return the descriptor, and how long the log is by now."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        descriptor = _opened(self.log, os.O_APPEND)
        return descriptor, os.fstat(descriptor).st_size

    def log_from(self, place: int, lines: int) -> list[str]:
        """Return the last lines that the log got after a place in it."""
        with self.log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(place, end - TAIL_BYTES))
            return file.read().decode("utf-8", "replace").splitlines()[-lines:]


def _opened(path: Path, flag: int) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flag, 0o600)
