"""Reads a page of the web on behalf of a model, and nothing that is not meant for the public.

How this works: a name is resolved here, all of its addresses must be permitted, and one of them is connected to, so
that a name cannot mean something else in between. Redirects are followed here, each as a new address. No cookie, no
key and no proxy of the machine's goes along. Of a long page only the beginning is read.
"""

import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from urllib.parse import urljoin

import trio

from actors import Network
from actors.errors import PoolError
from actors.resolver import Resolver, SystemResolver
from ucr.bridges.asked import Asked
from ucr.bridges.blocks import Page
from ucr.bridges.pages import text_of, title_of
from ucr.bridges.reach import URL_CHARS, is_reachable, url_of
from ucr.bridges.search import Ran
from ucr.config.bridge_model import WebFetch
from ucr.large import beside

if TYPE_CHECKING:
    import httpx

    from actors.tls import Tls

REDIRECTS = 5
_ADDRESSES = 3
_MOVED = (301, 302, 303, 307, 308)
_HTML = ("text/html", "application/xhtml+xml")
_PLAIN = ("text/", "application/json", "application/xml", "application/ld+json", "application/rss+xml")
_CODINGS = (
    "utf",
    "iso-8859",
    "latin",
    "windows-12",
    "cp12",
    "us-ascii",
    "shift_jis",
    "euc-",
    "gb",
    "big5",
    "koi8",
)
_SMALL_BYTES = 65_536
_CHARS_A_TOKEN = 4
_HEADERS = (("accept", "text/html, text/plain;q=0.9, */*;q=0.1"), ("user-agent", "ucr-trio"))


@runtime_checkable
class Resolves(Protocol):
    """A network that says by what it knows the addresses of hosts."""

    @property
    def resolver(self) -> Resolver: ...


class PublicNetwork:
    """A network that connects to permitted addresses only."""

    def __init__(self, network: Network, permitted: tuple[str, ...]) -> None:
        self._network = network
        self._resolver: Resolver = network.resolver if isinstance(network, Resolves) else SystemResolver()
        self._permitted = tuple(ipaddress.ip_network(one) for one in permitted)

    def __repr__(self) -> str:
        return f"<PublicNetwork over {self._network!r}>"

    async def connect(
        self, host: str, port: int, *, tls: "Tls | None", server_hostname: str | None
    ) -> trio.abc.Stream:
        """Connect to a host by one of its addresses; raise `PoolError` when one of them may not be read."""
        addresses = await self._resolver.resolve(host)
        if not addresses or not all(is_reachable(address, self._permitted) for address in addresses):
            raise PoolError("connect", f"{host!r} leads to no public address", phase="connect")
        name = server_hostname or host
        for address in addresses[: _ADDRESSES - 1]:
            try:
                return await self._network.connect(address, port, tls=tls, server_hostname=name)
            except OSError:
                continue
        return await self._network.connect(addresses[-1], port, tls=tls, server_hostname=name)


class Fetcher:
    """Reads pages as the configuration says. `unix_time` stamps them; `reading` lets one large page be read at a time."""

    def __init__(
        self,
        config: WebFetch,
        network: Network,
        unix_time: Callable[[], float],
        reading: trio.CapacityLimiter,
    ) -> None:
        self._config = config
        self._network = PublicNetwork(network, config.allow_private)
        self._unix_time = unix_time
        self._reading = reading

    def __repr__(self) -> str:
        return f"<Fetcher through {self._network!r}>"

    @property
    def max_uses(self) -> int:
        return self._config.max_uses

    async def run(self, url: object, asked: Asked) -> Ran:
        """Read a page; raises nothing but cancellation."""
        if not isinstance(url, str) or url_of(url) is None:
            return Ran("invalid_tool_input")
        if len(url) > URL_CHARS:
            return Ran("url_too_long")
        with trio.move_on_after(self._config.timeout_s):
            return await self._read(url, asked)
        return Ran("url_not_accessible", f"a page did not come within {self._config.timeout_s:g} s")

    async def _read(self, url: str, asked: Asked) -> Ran:
        import httpx

        from actors import PoolTransport
        from actors.request import Limits

        config = self._config
        limits = Limits(body_bytes=2 * config.max_bytes)
        transport = PoolTransport(self._network, limits)
        try:
            async with transport:
                for _ in range(REDIRECTS + 1):
                    if not asked.permits(url):
                        return Ran("url_not_allowed")
                    request = httpx.Request("GET", url, headers=dict(_HEADERS))
                    answer = await transport.handle_async_request(request)
                    try:
                        if answer.status_code not in _MOVED:
                            return await self._page(url, answer, asked)
                    finally:
                        await answer.aclose()
                    url = urljoin(url, answer.headers.get("location", ""))
                    if url_of(url) is None or len(url) > URL_CHARS:
                        return Ran("url_not_accessible", "a page leads to what is no address")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Ran("url_not_accessible", f"a page cannot be read ({type(error).__name__})")
        return Ran("url_not_accessible", f"a page leads on more than {REDIRECTS} times")

    async def _page(self, url: str, answer: "httpx.Response", asked: Asked) -> Ran:
        import httpx

        if answer.status_code != 200:
            code = "too_many_requests" if answer.status_code == 429 else "url_not_accessible"
            return Ran(code, f"a page was answered with {answer.status_code}")
        type_ = answer.headers.get("content-type", "text/html").partition(";")[0].strip().lower()
        if not type_.startswith((*_HTML, *_PLAIN)):
            return Ran("unsupported_content_type")
        body = bytearray()
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        async for part in answer.stream:
            body += part
            if len(body) >= self._config.max_bytes:
                break
        text = _decoded(bytes(body[: self._config.max_bytes]), answer.charset_encoding)
        title = ""
        if type_ in _HTML:
            title = title_of(text)
            is_small = len(body) < _SMALL_BYTES
            text = text_of(text) if is_small else await beside(self._reading, lambda: text_of(text))
        moment = datetime.fromtimestamp(self._unix_time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Ran(Page(url, title or url, text[: self._chars(asked)], moment))

    def _chars(self, asked: Asked) -> int:
        own = self._config.max_chars
        return own if asked.max_tokens is None else min(own, asked.max_tokens * _CHARS_A_TOKEN)


def _decoded(data: bytes, coding: str | None) -> str:
    """Return a page's text in the coding that it names, if that is one of those that pages have."""
    name = (coding or "utf-8").lower()
    if not name.startswith(_CODINGS):
        name = "utf-8"
    try:
        return data.decode(name, "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")
