"""`/ws/events`: the live feed as a WebSocket, for whoever may use the admin routes; `/ui/events` for the dashboard.

It is no exchange of the API: it lasts for hours, and must hold up neither a drain nor the end of a configuration.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import trio

from actors import Measured, Tally
from ucr import access, fields, metering
from ucr.admin import EVENTS_PATH
from ucr.api import Api
from ucr.dialects import registry
from ucr.errors import ApiError
from ucr.observe.feed import Feed
from ucr.observe.listener import Listener
from ucr.ui.dashboard import EVENTS_PATH as UI_EVENTS_PATH

SENT_AWAY = Measured(Tally(((metering.SENT_AWAY, ()),)), (1.0,))
"""What the metrics are told of a client that was too slow."""
GOING_AWAY, TRY_LATER = 1001, 1013
"""Of the codes with which a WebSocket is closed: the worker ends; the client was too slow."""

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Events:
    """Serves the WebSockets of one worker. `on_slow` is called when a client is sent away because it is too slow."""

    def __init__(self, api: Api, feed: Feed, on_slow: Callable[[], object]) -> None:
        self._api = api
        self._feed = feed
        self._on_slow = on_slow

    def __repr__(self) -> str:
        return f"<Events of {self._feed!r}>"

    async def serve(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one WebSocket, an ASGI scope, to its end."""
        try:
            self._check(scope)
        except ApiError as error:
            return await self._refuse(error, send)
        with (
            self._feed.listening() as listener
        ):  # before anything waits, so that no more get in than there is room for
            await send({"type": "websocket.accept"})
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_watch, receive, nursery.cancel_scope)
                await self._tell(listener, send)
                nursery.cancel_scope.cancel(reason="the feed has ended")
        return None

    def _check(self, scope: dict[str, Any]) -> None:
        """Let through whoever may use the admin routes; raise `ApiError` for others, and when there is no room."""
        pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        headers, peer = fields.joined(pairs), scope["client"][0] if scope.get("client") else ""
        config = self._api.generation.router.config
        if (fault := fields.fault_of(pairs)) is not None:
            raise fault
        access.check_host(EVENTS_PATH, headers, config.server.allowed_hosts)
        access.check_origin(headers, config.server.allowed_origins)
        try:
            if scope["path"] == UI_EVENTS_PATH:
                self._api.seen().check_socket(headers, peer, config)
            else:
                access.check_admin(headers, peer, config)
        except ApiError as error:
            raise self._api.refused(peer, error) from None
        if not self._feed.has_room:
            raise ApiError("overloaded_error", "too many clients listen to this worker", retry_after_s=5)

    async def _refuse(self, error: ApiError, send: Send) -> None:
        """Answer the handshake as the admin routes would."""
        body = registry.clients(self._api.generation.router.unix_time)["anthropic"].encode_error(error, "")
        pairs = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "websocket.http.response.start", "status": error.status, "headers": pairs})
        await send({"type": "websocket.http.response.body", "body": body})

    async def _tell(self, listener: Listener, send: Send) -> None:
        while (text := await listener.take()) is not None:
            await send({"type": "websocket.send", "text": text})
        if listener.is_too_slow:
            self._on_slow()
            await send({"type": "websocket.close", "code": TRY_LATER, "reason": "too slow"})
        else:
            await send({"type": "websocket.close", "code": GOING_AWAY, "reason": "the worker ends"})


async def _watch(receive: Receive, scope: trio.CancelScope) -> None:
    """Read what the client says, which is not asked for, until it leaves."""
    while (await receive())["type"] != "websocket.disconnect":
        pass
    scope.cancel(reason="the client left")
