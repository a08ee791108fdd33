"""One serving process: the tree, the server in it, and the way down."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import trio

from actors import Network
from ucr.api import Api, new_request_id
from ucr.asgi import AsgiApp
from ucr.config.model import Config
from ucr.guard import GuardedServer, Limits
from ucr.limits import ClientLimits
from ucr.logs import Log
from ucr.relay import Router
from ucr.tree import open_tree

FLUSH_S = 1.0
"""Long enough for an error event to reach whoever reads; who does not read must not hold up the end."""


async def serve(
    config: Config,
    listeners: Sequence[trio.abc.Listener[Any]],
    network: Network,
    log: Log,
    stopped: Callable[[], Awaitable[None]],
    *,
    worker: str = "0",
) -> None:
    """Serve until `stopped` returns, then drain: open requests get the grace time, then an error event."""

    def report(error: BaseException) -> None:
        log.error("connection.crashed", error=repr(error))

    async with open_tree(config, network, log, worker) as tree:
        router = Router(config, tree.children, tree.board, time.time, worker)
        api = Api(router, ClientLimits(tree.borrower, time.time), log)
        app = AsgiApp(api.answer, new_request_id, config.server.body_limit_bytes)
        server = GuardedServer(app, Limits(keep_alive_s=config.server.keep_alive_s), report)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.serve, list(listeners))
            log.info("worker.started", worker=worker, providers=len(tree.children))
            await stopped()
            await _drain(api, server, config.server.grace_s)
            nursery.cancel_scope.cancel(reason="drained")
    log.info("worker.stopped", worker=worker)


async def _drain(api: Api, server: GuardedServer, grace_s: float) -> None:
    api.is_draining = True
    await server.drain()
    with trio.move_on_after(grace_s):
        await api.wait_idle()
        return
    api.interrupt()
    with trio.move_on_after(FLUSH_S):
        await api.wait_idle()
