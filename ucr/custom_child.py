"""The process of a custom router: it loads one file of the user's, and answers for its function.

This program imports nothing of UCR, so that the user's code stands alone with the standard library. It is started
with an environment of its own and no descriptors but the standard ones and its end of a socket pair, on which
frames go both ways: a length of four bytes, the most significant first, and that many bytes of JSON. What the
user's code prints goes to standard error. It ends when the socket does, or when its parent dies.
"""

import ctypes
import importlib.util
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

LENGTH_BYTES = 4
REPLY_LIMIT_BYTES = 65_536
DESCRIPTORS = 64
WORDS_CHARS = 300
FUNCTION = "route"

_PR_SET_PDEATHSIG = 1

Route = Callable[[dict[str, Any]], Any]


def main(arguments: list[str]) -> None:
    """Serve `arguments`: the user's file, the descriptor of the socket, the parent's process, bytes of memory."""
    place, descriptor, parent, memory_bytes = arguments
    die_with(int(parent))
    confine(int(memory_bytes))
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    with socket.socket(fileno=int(descriptor)) as control:
        try:
            route = loaded(Path(place))
        except Exception as error:  # noqa: BLE001 - whatever the user's file does, the parent is told why
            send(control, {"failed": words_of(error)})
            return
        send(control, {"ready": os.getpid()})
        while (question := receive(control)) is not None:
            send(control, answer_of(route, question))


def die_with(parent_pid: int) -> None:
    """Be killed when the parent dies, whatever it dies of and whatever this process does then (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        raise SystemExit("the parent is gone")


def confine(memory_bytes: int) -> None:
    """Bound what the process may take, for good: address space, open files, no core files."""
    limits = (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_NOFILE, DESCRIPTORS),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, wanted in limits:
        hard = resource.getrlimit(kind)[1]
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (limit, limit))


def loaded(place: Path) -> Route:
    """Return the function of a file; raise whatever the file raises, and `TypeError` where there is no function."""
    spec = importlib.util.spec_from_file_location("custom_router", place)
    if spec is None or spec.loader is None:
        raise TypeError(f"{place.name} is no Python file; its name must end with .py")
    sys.path.insert(0, str(place.resolve().parent))
    sys.dont_write_bytecode = True
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    route = getattr(module, FUNCTION, None)
    if not callable(route):
        raise TypeError(f"{place.name} has no function {FUNCTION}; write: def {FUNCTION}(request):")
    found: Route = route
    return found


def answer_of(route: Route, question: dict[str, Any]) -> dict[str, Any]:
    """Ask the function, and return what it says, or what it raised."""
    number = question["id"]
    try:
        answer = {"id": number, "result": route(question["request"])}
        if len(json.dumps(answer, allow_nan=False)) > REPLY_LIMIT_BYTES:
            raise ValueError(f"what {FUNCTION} returned is longer than {REPLY_LIMIT_BYTES} bytes")
        return answer
    except Exception as error:  # noqa: BLE001 - whatever the user's function raises is an answer
        return {"id": number, "error": words_of(error)}


def words_of(error: BaseException) -> str:
    """Return an error in a line: its type, its words, and the line of the user's file that it came from."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = "" if last is None else f" (line {last.tb_lineno} of {Path(last.tb_frame.f_code.co_filename).name})"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:WORDS_CHARS] + where[:WORDS_CHARS]


def send(control: socket.socket, message: dict[str, Any]) -> None:
    """Send one frame; a parent that is gone ends the process."""
    data = json.dumps(message).encode()
    try:
        control.sendall(len(data).to_bytes(LENGTH_BYTES, "big") + data)
    except OSError:
        raise SystemExit(0) from None


def receive(control: socket.socket) -> dict[str, Any] | None:
    """Return the next frame; None when the parent has closed the socket."""
    head = exactly(control, LENGTH_BYTES)
    data = None if head is None else exactly(control, int.from_bytes(head, "big"))
    if data is None:
        return None
    question: dict[str, Any] = json.loads(data)
    return question


def exactly(control: socket.socket, size: int) -> bytes | None:
    """Return so many bytes; None when the socket ends before."""
    data = bytearray()
    while len(data) < size:
        try:
            part = control.recv(size - len(data))
        except OSError:
            return None
        if not part:
            return None
        data += part
    return bytes(data)


if __name__ == "__main__":
    main(sys.argv[1:])
