"""How a command asks the running router: where it listens, whom to believe that it is the router, and what it says.

The HTTP client is loaded by whoever asks: `serve` shares the command line and must not carry one.
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ucr.config.model import Config, Server
from ucr.config.overrides import Overrides
from ucr.errors import ConfigError
from ucr.starting import from_file
from ucr.tls import pinned_to

if TYPE_CHECKING:
    import httpx

ANSWER_S = 5.0
Trust = ssl.SSLContext | bool


class Unanswered(Exception):
    """The router did not give what it was asked for; the message says why, and what helps."""


def nobody_at(url: str, error: Exception) -> Unanswered:
    """Return what is said where no router answers, by what went wrong there."""
    origin = f"{url} cannot be connected to: "
    reason = (str(error) or type(error).__name__).removeprefix(origin)
    return Unanswered(f"{url}: no router answers ({reason}); start it with ucr-trio start, or give --url")


@asynccontextmanager
async def open_client(url: str, key: str | None, trust: Trust = True) -> "AsyncIterator[httpx.AsyncClient]":
    """Yield a client of the router at a URL.

    `trust` says which certificates are believed; True are those that the system believes.
    """
    import httpx

    from actors import PoolTransport, RealNetwork

    headers = {} if key is None else {"x-api-key": key}
    tls = trust if isinstance(trust, ssl.SSLContext) else None
    transport = PoolTransport(RealNetwork(), tls=tls)
    async with httpx.AsyncClient(
        transport=transport, base_url=url, headers=headers, timeout=ANSWER_S
    ) as client:
        yield client


async def answer_of(
    client: "httpx.AsyncClient", path: str, method: str = "GET", params: Mapping[str, str] | None = None
) -> Any:
    """Return the JSON that the router answers; raise `Unanswered`."""
    import httpx

    url = str(client.base_url).rstrip("/")
    try:
        answer = await client.request(method, path, params=params)
    except httpx.HTTPError as error:
        raise nobody_at(url, error) from None
    if answer.status_code != 200:
        raise Unanswered(f"{url}: answered {answer.status_code}: {_words(answer)}")
    try:
        return answer.json()
    except ValueError:
        raise Unanswered(f"{url}: answered no JSON: {answer.text[:200]}") from None


def _words(answer: "httpx.Response") -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]


def default_url(option: str | None, environ: Mapping[str, str]) -> tuple[str, Trust]:
    """Return where the router of this configuration listens, and whom to believe that it is the router.

    Where there is no valid configuration, it is the defaults.
    """
    try:
        config = from_file(option, environ, Overrides())
    except ConfigError:
        config = None
    if config is not None:
        return config.server.url(), _trust(config)
    server = Server(host=environ.get("UCR_HOST", "127.0.0.1"))
    port = environ.get("UCR_PORT", "")
    return server.url(int(port) if port.isdecimal() else None), True


def _trust(config: Config) -> Trust:
    if config.server.tls_cert is None:
        return True
    try:
        return pinned_to(config.server.tls_cert)
    except OSError:
        return True
