"""A network that lies behind a proxy: HTTP/1.1 (CONNECT, or requests in absolute form) or SOCKS 5.

How this works. To a pool it is a network like any other, so that all the pool promises holds behind a proxy, too. An
HTTP proxy makes a tunnel for an upstream with TLS; one without TLS is asked for through the proxy itself, which many
allow for no other port than 443: then the pool writes requests in absolute form. A SOCKS proxy makes
tunnels for both. Names are resolved by the proxy, and the proxy's own by the network below.

Sources: RFC 9110, 9.3.6 (CONNECT), RFC 9112, 3.2.2 (absolute form), RFC 1928 and 1929 (SOCKS 5).
"""

import ipaddress
import ssl

import trio

from actors.errors import PoolError
from actors.network import Network, close_now
from actors.proxy import Proxy
from actors.request import Origin
from actors.tls import Tls, client_tls

HEAD_BYTES = 16_384
"""A proxy that answers a CONNECT with more than this has not understood it."""


class ProxiedNetwork:
    """The network as it is seen through a proxy. `tls` is how a proxy with `https` is reached."""

    def __init__(self, network: Network, proxy: Proxy, tls: ssl.SSLContext | None = None) -> None:
        self._network = network
        self._proxy = proxy
        self._tls = Tls(tls or client_tls()) if proxy.scheme == "https" else None

    def __repr__(self) -> str:
        return f"<ProxiedNetwork by {self._proxy}>"

    async def connect(
        self, host: str, port: int, *, tls: Tls | None, server_hostname: str | None
    ) -> trio.abc.Stream:
        """Return a stream to the host, or to the proxy itself if that forwards plain requests."""
        proxy = self._proxy
        stream = await self._network.connect(proxy.host, proxy.port, tls=self._tls, server_hostname=proxy.host)
        try:
            if proxy.scheme == "socks5":
                await _ask_socks(stream, proxy, host, port)
            elif tls is not None:
                await _ask_http(stream, proxy, Origin("https", host, port))
        except BaseException:
            close_now(stream)
            raise
        return stream if tls is None else await tls.secured(stream, server_hostname or host)


async def _ask_http(stream: trio.abc.Stream, proxy: Proxy, origin: Origin) -> None:
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    target = f"{host}:{origin.port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"host: {target}"]
    lines += [f"{name}: {value}" for name, value in proxy.headers]
    await stream.send_all("\r\n".join([*lines, "", ""]).encode("latin-1"))
    head = b""
    while b"\r\n\r\n" not in head:
        data = await stream.receive_some(HEAD_BYTES)
        head += data
        if not data or len(head) > HEAD_BYTES:
            raise _refused(proxy, target, "it gave no answer")
    answer, _, rest = head.partition(b"\r\n\r\n")
    version, _, status = answer.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or not status.startswith("2"):
        raise _refused(proxy, target, status[:100] or "it speaks no HTTP/1.1")
    if rest:
        raise _refused(proxy, target, "it sent something before it was asked")


async def _ask_socks(stream: trio.abc.Stream, proxy: Proxy, host: str, port: int) -> None:
    target = f"{host}:{port}"
    await stream.send_all(b"\x05\x01" + (b"\x02" if proxy.user else b"\x00"))
    version, method = await _exactly(stream, 2, proxy, target)
    if version != 5 or method not in (0, 2) or (method == 2) != bool(proxy.user):
        raise _refused(proxy, target, "it wants another way to sign in" if version == 5 else "it is no SOCKS 5")
    if proxy.user:
        user, password = proxy.user.encode()[:255], proxy.password.encode()[:255]
        await stream.send_all(b"\x01%c%b%c%b" % (len(user), user, len(password), password))
        if (await _exactly(stream, 2, proxy, target))[1] != 0:
            raise _refused(proxy, target, "it does not know the user")
    await stream.send_all(b"\x05\x01\x00" + _socks_address(host) + port.to_bytes(2, "big"))
    _version, reply, _, kind = await _exactly(stream, 4, proxy, target)
    if reply != 0:
        raise _refused(proxy, target, f"SOCKS error {reply}")
    size = {1: 4, 4: 16}.get(kind) or (await _exactly(stream, 1, proxy, target))[0]
    await _exactly(stream, size + 2, proxy, target)


def _socks_address(host: str) -> bytes:
    try:
        packed = ipaddress.ip_address(host).packed
    except ValueError:
        name = host.encode("idna")
        return b"\x03%c%b" % (len(name), name)
    return (b"\x01" if len(packed) == 4 else b"\x04") + packed


async def _exactly(stream: trio.abc.Stream, size: int, proxy: Proxy, target: str) -> bytes:
    data = b""
    while len(data) < size:
        piece = await stream.receive_some(size - len(data))
        if not piece:
            raise _refused(proxy, target, "it closed the connection")
        data += piece
    return data


def _refused(proxy: Proxy, target: str, why: str) -> PoolError:
    return PoolError("connect", f"the proxy {proxy} gives no way to {target}: {why}", phase="connect")
