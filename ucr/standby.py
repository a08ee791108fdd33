"""hypercorn behind its guard, standing by: loaded when the first connection is handed over to it.

How this works: hypercorn brings HTTP/2, WebSockets and h11 along, a fifth of a worker's start and some megabytes,
and many a worker never needs it. Loading it takes about a tenth of a second, so a thread does it: the loop goes on
turning, a little slower. The alternative, to load it right after the start, would take that time from the first
requests of every worker, and the memory from all of them.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import trio

from ucr.connections import Connections, Limits, Serve

if TYPE_CHECKING:
    from ucr.guard import GuardedServer

GUARD = "ucr.guard"

OpenConnections = Callable[[Serve], Connections]


class Standby:
    """Serves the connections that the front lane hands over."""

    def __init__(self, app: Any, limits: Limits, open_connections: OpenConnections) -> None:
        self._app = app
        self._limits = limits
        self._open_connections = open_connections
        self._server: GuardedServer | None = None
        self._loading = trio.Lock()
        self._is_draining = False

    def __repr__(self) -> str:
        return f"<Standby {'loaded' if self._server else 'not loaded'}>"

    async def serve_one(self, stream: Any) -> None:
        """Serve a connection to its end; the caller closes the stream."""
        server = self._server or await self._load()
        await server.serve_one(stream)

    async def _load(self) -> "GuardedServer":
        async with self._loading:
            if self._server is None:
                if GUARD not in sys.modules:
                    await trio.to_thread.run_sync(import_module, GUARD)
                self._server = guarded(self._app, self._limits, self._open_connections)
                if self._is_draining:
                    await self._server.drain()
            return self._server

    async def drain(self) -> None:
        """Idle connections close, busy ones close after their answer."""
        self._is_draining = True
        if self._server is not None:
            await self._server.drain()


def guarded(app: Any, limits: Limits, open_connections: OpenConnections) -> "GuardedServer":
    """Return hypercorn behind its guard; it is loaded now if it was not."""
    from ucr.guard import GuardedServer

    return GuardedServer(app, limits, open_connections)
