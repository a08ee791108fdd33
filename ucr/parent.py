"""The parent: it owns the sockets, the slots, the signals and the configuration file, and serves nothing itself.

What it does not import it cannot stumble over: no HTTP client, server, parser or cache is loaded here.
"""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from actors import open_supervisor
from ucr import listening
from ucr.attendant import INTENSITY, Attendant
from ucr.config.model import Config
from ucr.crew import Crew, open_crew, wanted_workers
from ucr.hired import Sockets
from ucr.logs import OpenLog
from ucr.wishes import Announce, Wishes, obeying


async def run(config: Config, sockets: Sockets, opened: OpenLog, announce: Announce) -> None:
    """Run a router of several processes until it is told to end. `announce` is called when all are ready.

    The sockets are closed at the end. Raises `Unready` when a first worker does not start, and `EndedAtOnce`.
    """
    async with obeying() as wishes:
        await _run(config, sockets, opened, announce, wishes)


async def _run(config: Config, sockets: Sockets, opened: OpenLog, announce: Announce, wishes: Wishes) -> None:
    try:
        async with open_crew(config, sockets, opened.log) as crew:
            await crew.resize(wanted_workers(config))
            wishes.is_starting = False
            announce(config, listening.port_of(sockets))
            await _serve(crew, wishes)
            _close(crew.sockets)
            opened.log.info("router.draining", grace_s=crew.config.server.grace_s)
            await crew.end()
    finally:
        _close(sockets)
    opened.log.info("router.stopped")


async def _serve(crew: Crew, wishes: Wishes) -> None:
    """Do what is wished, until the end is."""

    async def renew() -> None:
        while True:
            await wishes.renewal.wait()
            wishes.renewal = trio.Event()
            await crew.renew()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(crew.watch)
        nursery.start_soon(renew)
        await wishes.end.wait()
        nursery.cancel_scope.cancel(reason="the router ends")


def _close(sockets: Sockets) -> None:
    for bound in sockets:
        bound.close()


@asynccontextmanager
async def demo_process() -> AsyncIterator[str]:
    """Run the demo provider in a process of its own, as long as the block; yield its base URL."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        bound.setblocking(False)
        arguments = (str(os.getpid()), str(bound.fileno()))
        async with open_supervisor(intensity=INTENSITY) as supervisor:
            await supervisor.start(Attendant("demo", "ucr.demo", arguments, (bound.fileno(),)))
            yield f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
