"""The pool as a transport of httpx, for whatever is not hot: commands, sign-ins, probes.

How this works. An `httpx.AsyncClient(transport=PoolTransport(network))` keeps its whole interface and gets the pool's
connections under it: limits on head and body, addresses that are checked after the names were resolved, an end
without waiting when a stream is left early or cancelled. The timeouts of the client become limits of the exchange:
connect; read for the first byte and for each silence. The body of a request is gathered first, an answer's streams.

This module loads httpx; nobody else in this package does.
"""

import math
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing
from types import MappingProxyType
from typing import Literal

import httpx

from actors.errors import PoolError, PoolFault
from actors.network import Network
from actors.pool import Pool
from actors.request import Limits, Origin, UpstreamRequest
from actors.response import UpstreamResponse

MAX_ORIGINS = 16
"""Of more, the one asked longest ago loses its idle connections."""

_ERRORS: Mapping[PoolFault, type[httpx.TransportError]] = MappingProxyType(
    {
        "connect": httpx.ConnectError,
        "reset": httpx.ReadError,
        "protocol": httpx.RemoteProtocolError,
        "too_large": httpx.RemoteProtocolError,
    }
)


class PoolTransport(httpx.AsyncBaseTransport):
    """One pool for each origin that is asked; `limits` bound what timeouts do not, the size of answers.

    The body of a request may have as many bytes as that of an answer. `tls` says which certificates are believed.
    """

    def __init__(
        self,
        network: Network,
        limits: Limits = Limits(),  # noqa: B008
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._network = network
        self._tls = tls
        self._limits = limits
        self._pools: dict[Origin, Pool] = {}

    def __repr__(self) -> str:
        return f"<PoolTransport to {', '.join(map(str, self._pools)) or 'nobody'}>"

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its answer, whose stream holds a connection until it is closed."""
        try:
            pool = await self._pool(_origin_of(request.url))
            made = UpstreamRequest(
                request.method,
                request.url.raw_path.decode("ascii"),
                tuple(request.headers.multi_items()),
                await _gathered(request, self._limits.body_bytes),
            )
            response = await pool.start(made, self._limits_of(request))
        except PoolError as error:
            raise _translated(error, request) from error
        return httpx.Response(
            response.status,
            headers=list(response.headers),
            stream=_Body(response, request),
            extensions={"http_version": b"HTTP/1.1"},
        )

    async def aclose(self) -> None:
        """Close the idle connections of all origins."""
        for pool in self._pools.values():
            await pool.aclose()

    async def _pool(self, origin: Origin) -> Pool:
        pool = self._pools.pop(origin, None) or Pool(origin, self._network, tls=self._tls)
        self._pools[origin] = pool
        if len(self._pools) > MAX_ORIGINS:
            await self._pools.pop(next(iter(self._pools))).aclose()
        return pool

    def _limits_of(self, request: httpx.Request) -> Limits:
        timeouts = request.extensions.get("timeout", {})
        connect_s, read_s = (timeouts.get(phase) for phase in ("connect", "read"))
        return Limits(
            math.inf if connect_s is None else connect_s,
            math.inf if read_s is None else read_s,
            math.inf if read_s is None else read_s,
            self._limits.header_bytes,
            self._limits.body_bytes,
        )


class _Body(httpx.AsyncByteStream, AsyncIterator[bytes]):
    """An answer's body as httpx reads it. No generator: those cannot be left early in peace."""

    def __init__(self, response: UpstreamResponse, request: httpx.Request) -> None:
        self._response = response
        self._request = request

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            data = await self._response.receive()
        except PoolError as error:
            raise _translated(error, self._request) from error
        if not data:
            raise StopAsyncIteration
        return data

    async def aclose(self) -> None:
        self._response.close()


async def _gathered(request: httpx.Request, limit_bytes: int) -> bytes:
    """Return the body of a request, whichever way it was given."""
    body = bytearray()
    if isinstance(request.stream, httpx.SyncByteStream):
        for part in request.stream:
            _add(body, part, limit_bytes)
        return bytes(body)
    async with AsyncExitStack() as stack:
        parts = aiter(request.stream)
        if isinstance(parts, AsyncGenerator):
            await stack.enter_async_context(aclosing(parts))
        async for part in parts:
            _add(body, part, limit_bytes)
    return bytes(body)


def _add(body: bytearray, part: bytes, limit_bytes: int) -> None:
    body += part
    if len(body) > limit_bytes:
        raise PoolError("protocol", f"the request has more than {limit_bytes} bytes", phase="connect")


def _origin_of(url: httpx.URL) -> Origin:
    if url.scheme not in ("http", "https") or not url.host:
        raise httpx.UnsupportedProtocol(f"{url} is not http:// or https://")
    scheme: Literal["http", "https"] = "https" if url.scheme == "https" else "http"
    return Origin(scheme, url.host, url.port or (443 if scheme == "https" else 80))


def _translated(error: PoolError, request: httpx.Request) -> httpx.TransportError:
    if error.kind != "timeout":
        return _ERRORS[error.kind](error.message, request=request)
    is_connecting = error.phase == "connect"
    made: type[httpx.TransportError] = httpx.ConnectTimeout if is_connecting else httpx.ReadTimeout
    return made(error.message, request=request)
