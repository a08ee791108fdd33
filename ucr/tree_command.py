"""`ucr-trio tree`: asks a running router for its actors, and prints them, once or again and again."""

import os
import sys
from typing import TYPE_CHECKING

import click
import trio

from ucr.asking import Trust, Unanswered, answer_of, default_url, open_client
from ucr.drawing import drawn

if TYPE_CHECKING:
    import httpx

FAILED = 1
WATCH_S = 1.0
_CLEAR = "\x1b[H\x1b[2J"


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


async def show(url: str, key: str | None, watch: bool, trust: Trust = True) -> None:
    """Print the tree; with `watch` for ever, on a screen that is cleared each time."""
    async with open_client(url, key, trust) as client:
        click.echo(await page(client, url))
        while watch:
            await trio.sleep(WATCH_S)
            click.echo((_CLEAR if sys.stdout.isatty() else "\n") + await page(client, url))


async def page(client: "httpx.AsyncClient", url: str) -> str:
    """Return the tree of now as text; raise `Unanswered`."""
    return "\n".join(drawn(await answer_of(client, "/admin/tree"), f"ucr-trio at {url}"))
