"""`ucr-trio setup`: finds providers, asks which to use, tries them, and writes a configuration."""

import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ucr.operate.doctor_command import shown_while, tell
from ucr.operate.progress import say

if TYPE_CHECKING:
    from ucr.config.model import Provider

FAILED, UNUSABLE = 1, 2


@click.command()
@click.option("--config", metavar="FILE", help="The file to write; the user's own if not said.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, help="The port to listen on; 3000.")
@click.option("--yes", is_flag=True, help="Ask nothing: use all that is found, and overwrite nothing.")
def setup(config: str | None, port: int, yes: bool) -> None:
    """Find providers, ask which to use, try them, and write a configuration."""
    from ucr.config.places import own_place
    from ucr.errors import ConfigError
    from ucr.operate.draft import draft
    from ucr.operate.writing import written

    path = Path(config or os.environ.get("UCR_CONFIG") or own_place(os.environ))
    if path.exists() and (yes or not click.confirm(f"{path} is there already; overwrite it?", default=False)):
        say(f"{path} is there already and stays as it is; name another file with --config", is_error=True)
        sys.exit(FAILED)
    chosen = _chosen(_found(), yes)
    default = _default(chosen, yes)
    text = draft(chosen, default, frozenset(os.environ), port)
    try:
        written(path, text, os.environ if chosen else {**os.environ, "OPENROUTER_API_KEY": "to-come"})
    except ConfigError as error:
        for problem in error.problems:
            say(str(problem), "red", is_error=True)
        sys.exit(UNUSABLE)
    except OSError as error:
        say(f"ucr-trio: {path}: {error.strerror}", "red", is_error=True)
        sys.exit(FAILED)
    say(f"{path} is written", "green")
    claude = (
        "" if shutil.which("claude") else ", once it is installed: npm install -g @anthropic-ai/claude-code"
    )
    say(f"next: ucr-trio start, or Claude Code at once: ucr-trio code{claude}")


def _found() -> "tuple[Provider, ...]":
    import trio

    from actors import RealNetwork
    from ucr.discovery import keyed_providers
    from ucr.operate.examination import of_providers
    from ucr.operate.finding import Finding
    from ucr.probing import probe_local

    async def look() -> "tuple[tuple[Provider, ...], list[Finding]]":
        providers = (*keyed_providers(os.environ), *await probe_local())
        return providers, await of_providers(providers, RealNetwork(), time.time)

    providers, findings = trio.run(shown_while, "looking for providers", look)
    if not providers:
        say("no key of a provider is in the environment, and no local server answers", "yellow")
    for finding in findings:
        tell(finding)
    return providers


def _chosen(providers: "tuple[Provider, ...]", yes: bool) -> "tuple[Provider, ...]":
    return tuple(p for p in providers if yes or click.confirm(f"use {p.id}?", default=True))


def _default(providers: "tuple[Provider, ...]", yes: bool) -> str | None:
    ids = [provider.id for provider in providers]
    if yes or len(ids) < 2:
        return ids[0] if ids else None
    said: str = click.prompt("who serves what names no other?", type=click.Choice(ids), default=ids[0])
    return said
