"""The router as a transport of httpx: what a client sends is answered within the process.

How this works. A request runs in a task of the router's nursery, like one that came by a socket, and what it sends
goes through a bounded pipe to whoever reads the answer. So the caller's deadlines and cancellations do not reach into
the relay: a caller that is cancelled, or closes the answer early, leaves, and its upstream call ends as that of any
client that leaves. The body of a request is gathered first, by the caller; an answer's streams.
"""

import math
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import Any
from urllib.parse import unquote

import httpx
import trio

from ucr.api import Api
from ucr.bodies import Bodies
from ucr.library.exchange import LocalExchange
from ucr.library.family import Family, package_of
from ucr.request_ids import request_ids

_HOST = ("host", "localhost")
_OF_THE_WIRE = frozenset({"host", "connection", "content-length", "transfer-encoding"})
"""Headers that say how a request travels, which it does not: the body is there, and nobody else can be meant."""


class RouterTransport(httpx.AsyncBaseTransport):
    """Takes requests of httpx and of httpx2. Several clients may share it, and close it: it is open as long as its router."""

    def __init__(self, api: Api, bodies: Bodies, limit_bytes: int, nursery: trio.Nursery) -> None:
        self._api = api
        self._bodies = bodies
        self._limit_bytes = limit_bytes
        # The nursery is that of `open_router`: requests end before the router does.
        self._nursery = nursery
        self._new_request_id = request_ids(api.generation.router.unix_time)
        self._families: dict[str, Family] = {}
        self._is_open = True

    def __repr__(self) -> str:
        return f"<RouterTransport, {'open' if self._is_open else 'closed'}>"

    def close(self) -> None:
        """Take no more requests; those that are open go on."""
        self._is_open = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request; closing the answer before its end ends the call of the provider.

        Raises `ConnectError` when the router is closed, `ReadTimeout` when the client's limit on silence has passed, and
        `RemoteProtocolError` when an answer ends before its time, each of the package that the request is of.
        """
        family = self._family_of(request)
        body = await _gathered(request, family, self._limit_bytes)
        if not self._is_open:
            raise family.closed(request)
        exchange = self._exchange(request, body)
        self._nursery.start_soon(exchange.run, self._api.answer)
        silence_s = request.extensions.get("timeout", {}).get("read")
        answer = family.answer(exchange, request, math.inf if silence_s is None else silence_s)
        try:
            await answer.wait_head()
        except BaseException:
            exchange.leave()
            raise
        response: httpx.Response = family.response(exchange, answer)
        return response

    def _family_of(self, request: httpx.Request) -> Family:
        package = package_of(request)
        if package not in self._families:
            self._families[package] = Family(package)
        return self._families[package]

    def _exchange(self, request: httpx.Request, body: bytes) -> LocalExchange:
        path, _, query = request.url.raw_path.decode("ascii", "replace").partition("?")
        pairs = [
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in request.headers.raw
        ]
        told = [_HOST, *(pair for pair in pairs if pair[0] not in _OF_THE_WIRE)]
        return LocalExchange(
            self._new_request_id(), request.method, unquote(path), query, told, body, self._bodies
        )


async def _gathered(request: httpx.Request, family: Family, limit_bytes: int) -> bytes:
    """Return the body of a request; of one that is too large, the beginning that shows it."""
    stream: Any = request.stream
    body = bytearray()
    if family.is_sync(stream):
        for part in stream:
            body += part
            if len(body) > limit_bytes:
                break
        return bytes(body)
    async with AsyncExitStack() as stack:
        parts = aiter(stream)
        if isinstance(parts, AsyncGenerator):
            await stack.enter_async_context(aclosing(parts))
        async for part in parts:
            body += part
            if len(body) > limit_bytes:
                break
    return bytes(body)
