"""What `serve` and `demo` do once the command line is read: start the router, and say why when it does not start."""

import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

import trio

from ucr import hygiene, listening
from ucr.begun import Begun
from ucr.clock import LeanClock
from ucr.config.model import Config
from ucr.config.overrides import Overrides
from ucr.errors import ConfigError, Problem
from ucr.hired import Unready
from ucr.logs import OpenLog, make_log
from ucr.starting import Source, banner, demo_provider
from ucr.wishes import EndedAtOnce

FAILED, UNUSABLE = 1, 2

Tell = Callable[[str], None]
"""Takes a line for whoever sits before the terminal."""


def serve(
    config: str | None, overrides: Overrides, tell: Tell, *, in_process: bool, begun: Begun | None = None
) -> int:
    """Serve the router until SIGTERM or SIGINT; return the exit status. `tell` gets the banner, or what is wrong.

    `begun` is the first worker's process, where it was started ahead.
    """
    hygiene.let_go_of_stdin()
    hygiene.raise_descriptor_limit()
    hygiene.forbid_core_files()
    hygiene.keep_memory_private(os.environ)
    source = Source(config, os.environ, overrides)
    status = 0
    try:
        trio.run(_serve_alone if in_process else partial(_serve, begun), source, tell, clock=LeanClock())
    except* ConfigError as group:
        for error in _leaves(group):
            for problem in getattr(error, "problems", ()):
                tell(str(problem))
        status = UNUSABLE
    except* (Unready, EndedAtOnce) as failed:
        for error in filter(str, _leaves(failed)):
            tell(f"ucr-trio: {error}")
        status = FAILED
    return status


async def _serve(begun: Begun | None, source: Source, tell: Tell) -> None:
    from ucr import parent

    async with source.starting(parent.demo_process) as config:
        sockets = listening.bind(config)
        await parent.run(config, sockets, _open_log(config), source, partial(_announce, tell), begun)


async def _serve_alone(source: Source, tell: Tell) -> None:
    from ucr import alone, memory
    from ucr.demo import open_demo

    async with source.starting(open_demo) as config:
        sockets = listening.bind(config)
        memory.settle()
        await alone.run(config, sockets, _open_log(config), source, partial(_announce, tell))


def _open_log(config: Config) -> OpenLog:
    try:
        return OpenLog(config, partial(datetime.now, UTC))
    except (OSError, ValueError) as error:
        why = f"cannot be written to: {error}; choose another file"
        raise ConfigError((Problem(config.source, "logging.file", config.logging.file or "", why),)) from None


def _announce(tell: Tell, config: Config, port: int) -> None:
    tell(banner(config, port))


async def demo(tell: Tell) -> bool:
    """Hold one conversation with a router that lives as long as it; true when all went well."""
    from actors import RealNetwork
    from ucr.demo import open_demo
    from ucr.demo_client import hold_conversation
    from ucr.discovery import discovered
    from ucr.worker import serve as serve_worker

    async with open_demo() as base_url:
        config = discovered((demo_provider(base_url),), Overrides(port=0))
        sockets = listening.bind(config)
        port = listening.port_of(sockets)
        listeners = listening.listeners(sockets)
        log = make_log("warning", (), (_to_stderr,), partial(datetime.now, UTC))
        done = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve_worker, config, listeners, RealNetwork(), log, done.wait)
            succeeded = await hold_conversation(f"http://127.0.0.1:{port}", tell)
            done.set()
    return succeeded


def _to_stderr(line: bytes) -> None:
    sys.stderr.write(line.decode())


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """Give the errors of a group, however deep the nurseries were that they came through."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
