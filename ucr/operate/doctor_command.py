"""`ucr-trio doctor`: looks for everything that may be wrong, and says what helps."""

import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TypeVar

import click

from ucr.operate.finding import Finding, is_well
from ucr.operate.progress import TICK_S, Progress, say

FAILED = 1

T = TypeVar("T")


@click.command()
@click.option("--config", metavar="FILE", help="The configuration; see docs/configuration.md.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of words.")
def doctor(config: str | None, as_json: bool) -> None:
    """Look for what may be wrong: configuration, files, port, router, clients, providers; each with its remedy."""
    import trio

    from actors import RealNetwork
    from ucr.operate.examination import examined, read_configuration

    found = read_configuration(config, os.environ)

    async def examine() -> list[Finding]:
        return await examined(found, config, os.environ, RealNetwork(), time.time)

    findings = trio.run(shown_while, "examining", examine)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            tell(finding)
    if not is_well(findings):
        sys.exit(FAILED)


def tell(finding: Finding) -> None:
    """Print a finding, with its remedy below it."""
    colour = {"ok": "green", "warning": "yellow", "failed": "red"}[finding.verdict]
    say(f"{finding.verdict:8} {finding.area}: {finding.words}", colour)
    if finding.remedy:
        say(f"{'':8} -> {finding.remedy}")


async def shown_while(words: str, work: Callable[[], Awaitable[T]]) -> T:
    """Do some work; show that it goes on when it takes over a second."""
    import trio

    with Progress(words) as progress:

        async def show() -> None:
            while True:
                await trio.sleep(TICK_S)
                progress.tick()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(show)
            result = await work()
            nursery.cancel_scope.cancel(reason="the work is done")
    return result
