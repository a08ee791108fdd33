"""`ucr-trio cost`: what was used and what it cost, from the file that the router keeps."""

import os
import re
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from ucr.config.places import state_folder

GROUPS = ("day", "provider", "model", "session", "client")
_AGO = re.compile(r"([0-9]{1,5})([hdw])")
_UNITS = (("h", "hours"), ("d", "days"), ("w", "weeks"))


def moment(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    """Return the moment that is meant by a date, a time, or how long ago; a time without a zone is of UTC."""
    if text is None:
        return None
    if found := _AGO.fullmatch(text):
        return datetime.now(UTC) - timedelta(**{dict(_UNITS)[found[2]]: int(found[1])})
    try:
        meant = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is neither a date such as 2026-11-01 nor a time ago such as 7d or 24h"
        )
    return meant if meant.tzinfo else meant.replace(tzinfo=UTC)


@click.command()
@click.option(
    "--since",
    metavar="WHEN",
    callback=moment,
    help="From when on: a date, or 24h, 7d, 2w ago; else everything.",
)
@click.option("--by", type=click.Choice(GROUPS), default="day", help="What is summed up; by day if not said.")
@click.option("--csv", "form", flag_value="csv", help="Print comma-separated values.")
@click.option("--json", "form", flag_value="json", help="Print JSON.")
def cost(since: datetime | None, by: str, form: str | None) -> None:
    """Print what was used, and what it cost."""
    from ucr import cost_report
    from ucr.usage_file import NAME

    path = Path(state_folder(os.environ)) / NAME
    try:
        found = cost_report.lines(path, by, 0.0 if since is None else since.timestamp())
    except sqlite3.Error as error:
        click.echo(
            f"ucr-trio: {path}: {error}; it is there once a router has served with usage.enabled", err=True
        )
        sys.exit(1)
    if form == "json":
        click.echo(cost_report.as_json(found))
    elif form == "csv":
        click.echo(cost_report.as_csv(found, by), nl=False)
    else:
        click.echo(cost_report.as_table(found, by))
