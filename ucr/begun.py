"""A worker's process in its first moments: it loads what it serves with, and has not been told yet what that is.

How this works. Loading modules is what takes `serve` longest, in the parent and then again in a worker. So the command
line starts the first worker before it loads anything itself (`ahead`), and both load side by side. A worker therefore
knows nothing from its command line but its parent: what it listens on and its configuration come over the control
stream. Nothing but the standard library is loaded here, for the same reason.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType

FIRST_SLOT = 0


class Begun:
    """A process that waits to be made a worker, and our end of the control stream to it. It is ended with its block.

    What takes it over takes `process` and `control` out of it, with `take`.
    """

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.control, far = socket.socketpair()
        arguments = (f"--slot={slot}", f"--parent={os.getpid()}", f"--control={far.fileno()}")
        with far:
            try:
                self.process = subprocess.Popen(
                    (
                        sys.executable,
                        "-P",
                        "-m",
                        "ucr.worker_process",
                        *arguments,
                    ),  # as `spawn.python_module` does
                    stdin=subprocess.DEVNULL,
                    pass_fds=(far.fileno(),),
                )
            except BaseException:
                self.control.close()
                raise
        self.is_taken = False

    def __repr__(self) -> str:
        return f"<Begun {self.process.pid}{', taken' if self.is_taken else ''}>"

    def take(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        """Return the process and the control stream, which are the caller's from now on."""
        self.is_taken = True
        return self.process, self.control

    def __enter__(self) -> "Begun":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self.is_taken:
            self.control.close()
            self.process.kill()
            self.process.wait()


def is_to_serve(arguments: Sequence[str]) -> bool:
    """Whether a command line looks like one that will want a worker."""
    return list(arguments[:1]) == ["serve"] and not {"--in-process", "--help", "-h"}.intersection(arguments)


@contextmanager
def ahead(arguments: Sequence[str]) -> Iterator[Begun | None]:
    """Yield the first worker for a command line that will want one; it is gone after the block, unless it was taken.

    Where none can be started there is none: whoever wants it then says why.
    """
    begun = None
    if is_to_serve(arguments):
        with suppress(OSError):
            begun = Begun(FIRST_SLOT)
    if begun is None:
        yield None
        return
    with begun:
        yield begun
