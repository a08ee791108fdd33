"""A small proxy: it makes tunnels (CONNECT, SOCKS 5) and forwards requests in absolute form."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import trio
from trio import BrokenResourceError, ClosedResourceError

Dial = Callable[[str, int], Awaitable[trio.abc.Stream]]


class ProxyServer:
    """Wants a user if it is given one. `asked` are the first lines of what it was asked, SOCKS as "SOCKS host:port".

    Whatever host is named, the connection goes to the loopback interface, unless `dial` says otherwise.
    """

    def __init__(self, user: str = "", password: str = "", dial: Dial | None = None) -> None:
        self._dial = dial or dial_loopback
        self._user, self._password = user, password
        self.asked: list[str] = []
        self.answers_connect_with: bytes | None = None

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection to its end."""
        with suppress(BrokenResourceError, ClosedResourceError, OSError):
            async with stream:
                first = bytes(await stream.receive_some(1))
                await (self._serve_socks(stream) if first == b"\x05" else self._serve_http(stream, first))

    async def _serve_http(self, stream: trio.abc.Stream, head: bytes) -> None:
        while b"\r\n\r\n" not in head:
            head += bytes(await stream.receive_some(65_536))
        head, _, rest = head.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.asked.append(lines[0])
        if self._user and f"proxy-authorization: Basic {self._credentials}" not in lines:
            return await stream.send_all(
                b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"
            )
        method, target, _ = lines[0].split(" ")
        if method != "CONNECT":
            return await self._forward(stream, method, target, lines[1:], rest)
        if self.answers_connect_with is not None:
            return await stream.send_all(self.answers_connect_with)
        async with await self._dial(*_split(target)) as upstream:
            await stream.send_all(b"HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n")
            await _pump(stream, upstream)
        return None

    async def _forward(
        self, stream: trio.abc.Stream, method: str, target: str, fields: list[str], rest: bytes
    ) -> None:
        """Forward the first request as a proxy does, and carry what follows as it is."""
        authority, _, path = target.removeprefix("http://").partition("/")
        kept = [line for line in fields if not line.startswith("proxy-")]
        async with await self._dial(*_split(authority)) as upstream:
            await upstream.send_all("\r\n".join([f"{method} /{path} HTTP/1.1", *kept, "", ""]).encode() + rest)
            await _pump(stream, upstream)

    @property
    def _credentials(self) -> str:
        return base64.b64encode(f"{self._user}:{self._password}".encode()).decode()

    async def _serve_socks(self, stream: trio.abc.Stream) -> None:
        methods = await stream.receive_some(100)
        method = 2 if self._user else 0
        if method not in methods[1:]:
            return await stream.send_all(b"\x05\xff")
        await stream.send_all(bytes([5, method]))
        if self._user:
            known = b"\x01%c%b%c%b" % (
                len(self._user),
                self._user.encode(),
                len(self._password),
                self._password.encode(),
            )
            is_known = bytes(await stream.receive_some(600)) == known
            await stream.send_all(b"\x01" + bytes([not is_known]))
            if not is_known:
                return None
        request = bytes(await stream.receive_some(300))
        host = request[5:-2].decode() if request[3] == 3 else ".".join(map(str, request[4:-2]))
        port = int.from_bytes(request[-2:], "big")
        self.asked.append(f"SOCKS {host}:{port}")
        async with await self._dial(host, port) as upstream:
            # The address that it is bound to, here a name, in pieces.
            for piece in (b"\x05\x00", b"\x00\x03\x04", b"home", b"\x00\x50"):
                await stream.send_all(piece)
            await _pump(stream, upstream)
        return None


async def dial_loopback(_host: str, port: int) -> trio.abc.Stream:
    """Connect to this machine, whoever is asked for."""
    return await trio.open_tcp_stream("127.0.0.1", port)


def _split(authority: str) -> tuple[str, int]:
    host, _, port = authority.partition(":")
    return host, int(port or 80)


async def _pump(left: trio.abc.Stream, right: trio.abc.Stream) -> None:
    async def carry(source: trio.abc.Stream, sink: trio.abc.Stream) -> None:
        with suppress(BrokenResourceError, ClosedResourceError):
            while data := await source.receive_some(65_536):
                await sink.send_all(data)
        nursery.cancel_scope.cancel(reason="one side has ended")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(carry, left, right)
        nursery.start_soon(carry, right, left)


@asynccontextmanager
async def open_proxy(proxy: ProxyServer) -> AsyncIterator[int]:
    """Serve on a port of the loopback interface; the block gets the port."""
    async with trio.open_nursery() as nursery:
        [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, proxy.serve, [listener])
        yield listener.socket.getsockname()[1]
        nursery.cancel_scope.cancel(reason="the test has ended")
