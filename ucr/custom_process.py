"""Starts the process of a custom router, with nothing of the worker's but its standard error and one socket."""

import contextlib
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import trio

from ucr import custom_child
from ucr.custom_talk import Process
from ucr.spawn import start_child

PASSED_ON = ("PATH", "HOME", "LANG")
"""What the process sees of the environment, which holds keys."""


def start(place: str, memory_bytes: int) -> tuple[Process, trio.abc.Stream]:
    """Start the process for a user's file, and return it with our end of its socket pair; raise `OSError`."""
    near, far = socket.socketpair()
    with far, contextlib.ExitStack() as on_failure:
        on_failure.enter_context(near)
        arguments = (place, str(far.fileno()), str(os.getpid()), str(memory_bytes))
        command = (sys.executable, "-I", str(Path(custom_child.__file__)), *arguments)
        process = start_child(command, (far.fileno(),), environment_of(os.environ), is_group=True)
        on_failure.pop_all()
    return process, trio.SocketStream(trio.socket.from_stdlib_socket(near))


def environment_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the process."""
    return {name: environ[name] for name in PASSED_ON if name in environ}
