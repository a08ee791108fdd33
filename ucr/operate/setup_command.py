"""`ucr-trio setup`: finds providers, asks which to use, tries them, and writes a configuration."""

import os
import shutil
import sys
import time
from dataclasses import dataclass
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
    from ucr.operate.draft import draft, missing
    from ucr.operate.writing import written

    path = Path(config or os.environ.get("UCR_CONFIG") or own_place(os.environ))
    try:
        if path.exists() and (yes or not click.confirm(f"{path} is there already; overwrite it?")):
            say(f"{path} is there already and stays as it is; name another file with --config", is_error=True)
            sys.exit(FAILED)
        found = _found()
        chosen = _chosen(found, yes) or _to_come(yes)
        default = _default(chosen, found.failing, yes)
    except click.Abort:
        say("\nnothing was written", is_error=True)
        sys.exit(FAILED)
    variables = frozenset(name for name, value in os.environ.items() if value)
    text = draft(chosen, default, variables, port)
    unset = missing(text, variables)
    try:
        written(path, text, {**os.environ, **dict.fromkeys(unset, "to-come")})
    except ConfigError as error:
        for problem in error.problems:
            say(str(problem), "red", is_error=True)
        sys.exit(UNUSABLE)
    except OSError as error:
        say(f"ucr-trio: {path}: {error.strerror}", "red", is_error=True)
        sys.exit(FAILED)
    say(f"{path} is written", "green")
    _tell_what_comes_next(unset)


def _tell_what_comes_next(unset: list[str]) -> None:
    say("next:")
    for name in unset:
        say(f"  export {name}=...  # the key, which the file only names")
    say("  ucr-trio start  # the router in the background; or, with Claude Code on it:")
    if not shutil.which("claude"):
        say("  npm install -g @anthropic-ai/claude-code")
    say("  ucr-trio code")


@dataclass(frozen=True, slots=True)
class Found:
    """Which providers were found; `failing` are the ids of those that do not answer as they should."""

    providers: "tuple[Provider, ...]" = ()
    failing: frozenset[str] = frozenset()


def _found() -> Found:
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
    failed = {finding.area.partition(",")[0] for finding in findings if finding.verdict == "failed"}
    return Found(providers, frozenset(p.id for p in providers if f"provider {p.id}" in failed))


def _chosen(found: Found, yes: bool) -> "tuple[Provider, ...]":
    return tuple(
        p for p in found.providers if yes or click.confirm(f"use {p.id}?", default=p.id not in found.failing)
    )


def _to_come(yes: bool) -> "tuple[Provider, ...]":
    """Return the provider whose key is still to be set."""
    from ucr.operate.draft import USUAL, to_come

    known = to_come()
    if yes:
        return (known[USUAL],)
    say(f"UCR knows {', '.join(known)}")
    said: str = click.prompt(
        "whose key will you set?", type=click.Choice(list(known)), default=USUAL, show_choices=False
    )
    return (known[said],)


def _default(providers: "tuple[Provider, ...]", failing: frozenset[str], yes: bool) -> str:
    ids = [provider.id for provider in providers]
    first = next((id_ for id_ in ids if id_ not in failing), ids[0])
    if yes or len(ids) < 2:
        return first
    said: str = click.prompt("who serves what names no other?", type=click.Choice(ids), default=first)
    return said
