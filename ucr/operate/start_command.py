"""`ucr-trio start | stop | status`: the router in the background."""

import json
import os
import sys
from typing import Any

import click

from ucr.operate.progress import say

FAILED = 1


@click.command()
@click.option("--config", metavar="FILE", help="The configuration; see docs/configuration.md.")
@click.option("--host", help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port to listen on; 0 takes a free one.")
@click.option("--workers", type=click.IntRange(1, 64), help="Number of worker processes.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error", "critical"]))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of words.")
def start(as_json: bool, **options: Any) -> None:
    """Start the router in the background and wait until it serves; one that runs already is left as it is."""
    from ucr.operate.background import NotStarted, started
    from ucr.operate.seat import Seat

    seat = Seat(os.environ)
    given = [(name, value) for name, value in options.items() if value is not None]
    flags = tuple(text for name, value in given for text in (f"--{name.replace('_', '-')}", str(value)))
    try:
        with seat.locked():
            before = seat.running()
            running = before or started(seat, flags, options["config"], os.environ)
    except NotStarted as error:
        for line in error.lines:
            click.echo(f"  {line}", err=True)
        say(f"ucr-trio: {error}; its log is {seat.log}", "red", is_error=True)
        sys.exit(error.status)
    except OSError as error:
        say(f"ucr-trio: {seat.folder}: {error.strerror}; set UCR_STATE_DIR", "red", is_error=True)
        sys.exit(FAILED)
    if as_json:
        click.echo(json.dumps({"started": before is None, **_facts(running), "log": str(seat.log)}))
        return
    verb = "serves" if before is None else "already serves"
    say(f"ucr-trio {verb} {running.url}  (process {running.pid}, log {seat.log})", "green")
    if before is not None and given:
        say("  its options stay as they are: ucr-trio stop, then start it with others", "yellow", is_error=True)


@click.command()
@click.option("--now", is_flag=True, help="Do not wait for open requests: end them.")
@click.option("--timeout", type=click.FloatRange(0), default=60.0, help="Seconds to wait for the end; 60.")
def stop(now: bool, timeout: float) -> None:
    """End the router in the background: it accepts nothing more, and open requests get their grace time."""
    from ucr.operate.background import stopped
    from ucr.operate.seat import Seat

    seat = Seat(os.environ)
    running = seat.running()
    if running is None:
        click.echo("no router runs in the background")
        return
    try:
        has_ended = stopped(seat, running, timeout, at_once=now)
    except PermissionError:
        say(f"ucr-trio: process {running.pid} belongs to another user", "red", is_error=True)
        sys.exit(FAILED)
    if not has_ended:
        say(
            f"ucr-trio: process {running.pid} still has open requests; ucr-trio stop --now ends them",
            "red",
            is_error=True,
        )
        sys.exit(FAILED)
    say(f"ucr-trio has stopped  (process {running.pid})")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of words.")
def status(as_json: bool) -> None:
    """Say whether the router runs in the background, and whether it answers; status 1 when not."""
    from ucr.operate.answering import readiness
    from ucr.operate.seat import Seat

    seat = Seat(os.environ)
    running = seat.running()
    if running is None:
        words = "no router runs in the background; start it with: ucr-trio start"
        click.echo(json.dumps({"running": False}) if as_json else words)
        sys.exit(FAILED)
    state = readiness(running.url, running.config, os.environ)
    if as_json:
        click.echo(json.dumps({"running": True, "state": state, **_facts(running), "log": str(seat.log)}))
    else:
        say(f"ucr-trio at {running.url}: {state}", "green" if state == "ready" else "red")
        click.echo(f"  process {running.pid}, since {running.since}")
        click.echo(f"  configuration {running.config or 'discovered'}")
        click.echo(f"  log {seat.log}")
    if state != "ready":
        sys.exit(FAILED)


def _facts(running: Any) -> dict[str, Any]:
    return {"pid": running.pid, "url": running.url, "config": running.config, "since": running.since}
