"""A client of the live feed in memory."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import trio
from trio_websocket import WebSocketConnection, wrap_client_stream

from tests.world.router import ROUTER, World


@asynccontextmanager
async def open_feed(
    world: World, headers: Mapping[str, str] = {}, path: str = "/ws/events"
) -> AsyncIterator["FeedClient"]:
    """Connect to the live feed of a router as long as the block; raises `ConnectionRejected`."""
    stream = await world.network.connect(*ROUTER)
    fields = [(name.encode(), value.encode()) for name, value in headers.items()]
    async with trio.open_nursery() as nursery:
        socket = await wrap_client_stream(nursery, stream, "127.0.0.1:3000", path, extra_headers=fields)
        yield FeedClient(socket)
        nursery.cancel_scope.cancel()
    await trio.aclose_forcefully(stream)


class FeedClient:
    """What one hears."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self.socket = socket

    async def next(self, event: str | None = None) -> Any:
        """Return the next message, or the next of an event; raises `ConnectionClosed` when there is none."""
        while True:
            message = json.loads(await self.socket.get_message())
            if event in (None, message["event"]):
                return message
