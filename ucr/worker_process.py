"""Where a worker's process begins, `python -m ucr.worker_process`: it minds its parent before it loads anything.

The parent gives it the control stream as an open descriptor. The listening sockets come over that, then the configuration.
"""

import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from ucr import hygiene
from ucr.loading import undisturbed


@dataclass(frozen=True, slots=True)
class Post:
    """What a parent tells a worker when it starts it. The control stream is an open descriptor, inherited."""

    slot: int
    parent: int
    control: int

    @classmethod
    def of(cls, arguments: Sequence[str]) -> "Post":
        """Read a command line, `--name=number` for each of them."""
        named = dict(argument.removeprefix("--").split("=", 1) for argument in arguments)
        return cls(int(named["slot"]), int(named["parent"]), int(named["control"]))


def main() -> None:
    """Work until the parent says so, or is gone. What the terminal sends to all is the parent's business."""
    post = Post.of(sys.argv[1:])
    hygiene.ignore_terminal()
    hygiene.die_with(post.parent)
    hygiene.raise_descriptor_limit()
    hygiene.forbid_core_files()
    hygiene.keep_memory_private(os.environ)
    with undisturbed():
        from ucr import worker
    control = socket.socket(fileno=post.control)
    control.set_inheritable(False)
    worker.run(post.slot, control)


if __name__ == "__main__":
    main()
