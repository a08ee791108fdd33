"""`ucr-trio cache stats | clear`: looks at the cache of a running router, or empties it."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import click
import trio

from ucr.asking import Trust, Unanswered, answer_of, default_url, open_client

FAILED = 1

_OPTIONS = (
    click.option("--url", help="Where the router listens; by default where its configuration says."),
    click.option("--key", envvar="UCR_ADMIN_KEY", help="The admin key, where one is configured."),
    click.option("--config", metavar="FILE", help="The configuration; see docs/configuration.md."),
    click.option("--json", "as_json", is_flag=True, help="Print what the router answers, as JSON."),
)


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group()
def cache() -> None:
    """Look at the cache of the running router, or empty it."""


@cache.command()
@_with_options
def stats(url: str | None, key: str | None, config: str | None, as_json: bool) -> None:
    """Print how full the cache is and how often it was of use, both tiers over all workers."""
    told = _asked(url, key, config, "/cache/stats", "GET", {})
    click.echo(json.dumps(told) if as_json else "\n".join(lines(told)))


@cache.command()
@click.option("--model", help="Only the answers for this model, as it was asked for or as it is called there.")
@click.option("--provider", help="Only the answers of this provider.")
@_with_options
def clear(
    model: str | None, provider: str | None, url: str | None, key: str | None, config: str | None, as_json: bool
) -> None:
    """Forget the answers that are kept, in all workers and both tiers."""
    chosen = {name: value for name, value in (("model", model), ("provider", provider)) if value is not None}
    told = _asked(url, key, config, "/cache", "DELETE", chosen)
    click.echo(json.dumps(told) if as_json else f"cleared {told['cleared']}")


def _asked(
    url: str | None, key: str | None, config: str | None, path: str, method: str, params: Mapping[str, str]
) -> Any:
    """Return what the router answers; print why it does not, and end."""
    try:
        found_url, trust = default_url(config, os.environ)
        return trio.run(partial(_ask, url or found_url, key, True if url else trust, path, method, params))
    except Unanswered as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)


async def _ask(
    url: str, key: str | None, trust: Trust, path: str, method: str, params: Mapping[str, str]
) -> Any:
    async with open_client(url, key, trust) as client:
        return await answer_of(client, path, method, params)


def lines(told: Mapping[str, Any]) -> Iterator[str]:
    """Give the lines that show what `GET /cache/stats` says."""
    if not told["enabled"]:
        yield "no cache: cache.enabled is false"
        return
    rate = "-" if told["hit_rate"] is None else f"{told['hit_rate']:.1%}"
    yield f"scope {told['scope']}: {told['hits']} hits, {told['misses']} misses, hit rate {rate}"
    for tier in ("l1", "l2"):
        said = told[tier]
        entries, size, hits = (said.get(name, 0) for name in ("entries", "bytes", "hits"))
        yield f"{tier}: {entries} entries, {size} bytes, {hits} hits"
