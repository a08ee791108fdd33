"""`ucr-trio tree`: asks a running router for its actors, and prints them, once or again and again.

The HTTP client is loaded by the command alone: `serve` shares the command line and must not carry one.
"""

import os
import ssl
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click
import trio

from ucr.config.model import Config
from ucr.config.overrides import Overrides
from ucr.drawing import drawn
from ucr.errors import ConfigError
from ucr.starting import from_file
from ucr.tls import pinned_to

if TYPE_CHECKING:
    import httpx

FAILED = 1
ANSWER_S = 5.0
WATCH_S = 1.0
_CLEAR = "\x1b[H\x1b[2J"


class Unanswered(Exception):
    """The router did not give its tree; the message says why, and what helps."""


@click.command()
@click.option("--url", help="Where the router listens; by default where its configuration says.")
@click.option("--key", envvar="UCR_ADMIN_KEY", help="The admin key, where one is configured.")
@click.option("--watch", is_flag=True, help="Print it again every second, until interrupted.")
@click.option("--config", metavar="FILE", help="The configuration; see docs/configuration.md.")
def tree(url: str | None, key: str | None, watch: bool, config: str | None) -> None:
    """Print the supervisors and actors of the running router: states, restarts, mailboxes, statistics."""
    try:
        found_url, trust = default_url(config, os.environ)
        trio.run(show, url or found_url, key, watch, True if url else trust)
    except Unanswered as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        return


async def show(url: str, key: str | None, watch: bool, trust: ssl.SSLContext | bool = True) -> None:
    """Print the tree; with `watch` for ever, on a screen that is cleared each time.

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
        click.echo(await page(client, url))
        while watch:
            await trio.sleep(WATCH_S)
            click.echo((_CLEAR if sys.stdout.isatty() else "\n") + await page(client, url))


async def page(client: "httpx.AsyncClient", url: str) -> str:
    """Return the tree of now as text; raise `Unanswered`."""
    import httpx

    try:
        answer = await client.get("/admin/tree")
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise Unanswered(f"{url}: no router answers ({reason}); start it, or give --url") from None
    if answer.status_code != 200:
        raise Unanswered(f"{url}: answered {answer.status_code}: {_words(answer)}")
    return "\n".join(drawn(answer.json(), f"ucr-trio at {url}"))


def _words(answer: "httpx.Response") -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]


def default_url(option: str | None, environ: Mapping[str, str]) -> tuple[str, ssl.SSLContext | bool]:
    """Return where the router of this configuration listens, and whom to believe that it is the router.

    Where there is no valid configuration, it is the defaults.
    """
    try:
        config = from_file(option, environ, Overrides())
    except ConfigError:
        config = None
    host = environ.get("UCR_HOST", "127.0.0.1") if config is None else config.server.host
    port = environ.get("UCR_PORT", "3000") if config is None else config.server.port
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    scheme = "http" if config is None else config.server.scheme
    return f"{scheme}://{shown}:{port}", _trust(config)


def _trust(config: Config | None) -> ssl.SSLContext | bool:
    if config is None or config.server.tls_cert is None:
        return True
    try:
        return pinned_to(config.server.tls_cert)
    except OSError:
        return True
