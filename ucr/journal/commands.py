"""`ucr-trio logs` and `ucr-trio replay`: what the journal says of requests, and one of them sent again."""

import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click

from ucr.config.places import state_folder
from ucr.cost_command import moment

if TYPE_CHECKING:
    from ucr.asking import Trust
    from ucr.journal.reading import Found, Reader, Wanted
    from ucr.journal.replaying import Again

FAILED = 1
FOLLOW_S = 0.5
REPLAY_S = 600.0
_HINT = "it is there once a router has served with journal.enabled"

T = TypeVar("T")


def _end(words: str) -> NoReturn:
    click.echo(f"ucr-trio: {words}", err=True)
    sys.exit(FAILED)


def reader() -> "Reader":
    """Return the reader of this user's journal."""
    from ucr.journal.file import NAME
    from ucr.journal.reading import Reader

    return Reader(Path(state_folder(os.environ)) / NAME)


def read(act: Callable[[], T]) -> T:
    """Return what is read; print why it cannot be, and end."""
    try:
        return act()
    except sqlite3.Error as error:
        _end(f"{reader()}: {error}; {_HINT}")


def entry(request_id: str) -> "Found":
    """Return the entry of a request; print that there is none, and end."""
    found = read(lambda: reader().one(request_id))
    if found is None:
        _end(
            f"the journal has no request {request_id}: it is too old, or not yet written (that takes 2 seconds)"
        )
    return found


@click.command()
@click.option("--follow", "-f", is_flag=True, help="Go on with requests as they end, until interrupted.")
@click.option(
    "-n", "--number", type=click.IntRange(0, 100_000), default=20, help="How many at first; 20 if not said."
)
@click.option("--provider", help="Only requests that this provider answered or refused.")
@click.option("--model", help="Only requests for this model, as it was asked for or as it is called there.")
@click.option("--session", help="Only requests of this session.")
@click.option("--errors", is_flag=True, help="Only requests that failed.")
@click.option("--since", metavar="WHEN", callback=moment, help="From when on: a date, or 24h, 7d, 2w ago.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
def logs(
    follow: bool,
    number: int,
    provider: str | None,
    model: str | None,
    session: str | None,
    errors: bool,
    since: datetime | None,
    as_json: bool,
) -> None:
    """Print what the last requests came to."""
    from ucr.journal.reading import Wanted

    wanted = Wanted(provider, model, session, errors, 0.0 if since is None else since.timestamp())
    try:
        for found in _entries(wanted, number, follow):
            click.echo(_shown(found, as_json))
    except KeyboardInterrupt:
        return


def _entries(wanted: "Wanted", number: int, follow: bool) -> "Iterator[Found]":
    journal = reader()
    last = read(journal.last_number)
    shown = read(partial(journal.latest, wanted, number))
    yield from shown
    while follow:
        last = max(last, *(found.number for found in shown)) if shown else last
        time.sleep(FOLLOW_S)
        shown = read(partial(journal.after, last, wanted))
        yield from shown


def _shown(found: "Found", as_json: bool) -> str:
    from ucr.journal.showing import as_json as object_of
    from ucr.journal.showing import line

    if as_json:
        return json.dumps(object_of(found), ensure_ascii=False)
    return click.style(line(found), fg="red" if found.entry.is_error else None)


@click.command()
@click.argument("request_id")
@click.option("--to", "target", required=True, metavar="PROVIDER/MODEL", help="Who is asked now.")
@click.option("--url", help="Where the router listens; by default where its configuration says.")
@click.option("--key", envvar="UCR_CLIENT_KEY", help="A client's key, where clients are configured.")
@click.option("--config", metavar="FILE", help="The configuration; see docs/configuration.md.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def replay(
    request_id: str, target: str, url: str | None, key: str | None, config: str | None, as_json: bool
) -> None:
    """Send a request of the journal again, to another model, and print how the answers differ.

    Needs `journal.bodies = true` when the request was made. Ends with 0 also when the answers differ.
    """
    import trio

    from ucr.asking import Unanswered, default_url
    from ucr.journal.difference import differences
    from ucr.journal.replaying import Unrepeatable, again

    found = entry(request_id)
    try:
        found_url, trust = default_url(config, os.environ)
        status, answer, new_id = trio.run(
            _ask, url or found_url, key, True if url else trust, again(found, target)
        )
    except (Unanswered, Unrepeatable) as error:
        _end(f"{request_id}: {error}")
    lines = differences(found.entry.answer or "", answer)
    if as_json:
        told = {"status": status, "was": found.entry.status, "request_id": new_id, "differences": lines}
        click.echo(json.dumps({**told, "answer": answer}, ensure_ascii=False))
    else:
        click.echo(f"{request_id} was {found.entry.status}; {new_id} at {target} is {status}")
        click.echo("\n".join(lines) if lines else "the answers are alike, event for event")
    if status != 200:
        sys.exit(FAILED)


async def _ask(url: str, key: str | None, trust: "Trust", request: "Again") -> tuple[int, str, str]:
    """Send it; return the status, the answer and its id."""
    import httpx

    from ucr.asking import nobody_at, open_client

    async with open_client(url, key, trust) as client:
        try:
            answer = await client.post(
                request.path, content=request.body, headers=request.headers, timeout=REPLAY_S
            )
        except httpx.HTTPError as error:
            raise nobody_at(url, error) from None
    return answer.status_code, answer.text, answer.headers.get("request-id", "")
