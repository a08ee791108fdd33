"""`ucr-trio explain`: says why a request is routed as it is, by the configuration alone; nothing is sent.

What only a running router knows (open breakers, resting keys, what a custom router says) it tells by itself, for a
request with the header `x-ucr-explain: 1`. What explains is loaded by the command: `serve` shares the command line.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click

FAILED, UNUSABLE = 1, 2


def _headers(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> Mapping[str, str]:
    headers = {}
    for text in values:
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise click.BadParameter(f"{text!r} must be NAME:VALUE")
        headers[name.strip().lower()] = value.strip()
    return headers


@click.command()
@click.option("--file", metavar="FILE", help="The JSON body of a request; - is standard input.")
@click.option(
    "--id", "request_id", metavar="REQUEST_ID", help="A request that was made: what became of it, and why."
)
@click.option("--config", metavar="FILE", help="The configuration; see docs/configuration.md.")
@click.option(
    "--header", multiple=True, metavar="NAME:VALUE", callback=_headers, help="A header of the request."
)
@click.option("--dialect", default="anthropic", help="The client's protocol; anthropic if it is not said.")
@click.option("--client", help="The name of the client that asks.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of words.")
def explain(
    file: str | None,
    request_id: str | None,
    config: str | None,
    header: Mapping[str, str],
    dialect: str,
    client: str | None,
    as_json: bool,
) -> None:
    """Say why a request is routed as it is, without sending anything."""
    if (file is None) == (request_id is None):
        raise click.UsageError("give either --file or --id")
    if file is not None:
        _explain_file(file, config, header, dialect, client, as_json)
    elif request_id is not None:
        _explain_entry(request_id, as_json)


def _explain_entry(request_id: str, as_json: bool) -> None:
    """Tell what the journal knows of a request."""
    from ucr.journal import showing
    from ucr.journal.commands import entry

    found = entry(request_id)
    told = showing.as_json(found)
    click.echo(json.dumps(told, indent=2, ensure_ascii=False) if as_json else "\n".join(showing.story(found)))


def _explain_file(
    file: str, config: str | None, header: Mapping[str, str], dialect: str, client: str | None, as_json: bool
) -> None:
    """Tell why a request would be routed as it would be."""
    import trio

    from ucr.config.overrides import Overrides
    from ucr.errors import ApiError, ConfigError
    from ucr.explain import in_words
    from ucr.explain_offline import dialects, explanation
    from ucr.starting import from_file

    if dialect not in dialects():
        raise click.BadParameter(f"{dialect!r} is none of {', '.join(dialects())}", param_hint="--dialect")
    try:
        found = from_file(config, os.environ, Overrides())
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(UNUSABLE)
    if found is None:
        click.echo("there is no configuration file: name one with --config", err=True)
        sys.exit(UNUSABLE)
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        told = trio.run(explanation, found, raw, header, dialect, client)
    except (OSError, ApiError) as error:
        click.echo(f"{file}: {error}", err=True)
        sys.exit(FAILED)
    click.echo(json.dumps(told, indent=2, ensure_ascii=False) if as_json else "\n".join(in_words(told)))
    if told["error"] is not None:
        sys.exit(FAILED)
