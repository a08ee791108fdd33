"""A router that is one process: no parent, no slots; the same signals, as far as they mean something here."""

from actors import RealNetwork
from ucr import listening
from ucr.config.model import Config
from ucr.hired import Sockets
from ucr.logs import OpenLog
from ucr.wishes import Announce, Wishes, obeying
from ucr.worker import Worker, open_worker


async def run(config: Config, sockets: Sockets, opened: OpenLog, announce: Announce) -> None:
    """Serve in this process until told to end; raises `EndedAtOnce` at a second signal."""
    async with obeying() as wishes:
        await _run(config, sockets, opened, announce, wishes)


async def _run(config: Config, sockets: Sockets, opened: OpenLog, announce: Announce, wishes: Wishes) -> None:
    announce(config, listening.port_of(sockets))
    serving = open_worker(
        config, listening.listeners(sockets), RealNetwork(), opened.log, reopen_log=opened.reopen
    )
    async with serving as worker:
        wishes.is_starting = False
        await _serve(worker, wishes)


async def _serve(worker: Worker, wishes: Wishes) -> None:
    await wishes.end.wait()
    await worker.drain(worker.config.server.grace_s)
