"""`ucr-trio config init | show | edit | schema`: the configuration file itself."""

import json
import os
import sys
from pathlib import Path

import click

from ucr.operate.progress import say

FAILED, UNUSABLE = 1, 2

_file = click.option("--config", metavar="FILE", help="The configuration; see docs/configuration.md.")


@click.group()
def config() -> None:
    """Make, show and change the configuration file."""


@config.command()
@_file
def init(config: str | None) -> None:
    """Write a commented file for the providers whose keys are in the environment; overwrite nothing."""
    from ucr.discovery import keyed_providers
    from ucr.operate.draft import USUAL, draft, missing, to_come
    from ucr.operate.writing import written

    path = Path(config or "ucr.toml")
    if path.exists():
        say(f"{path} is there already and stays as it is", "red", is_error=True)
        sys.exit(FAILED)
    providers = keyed_providers(os.environ) or (to_come()[USUAL],)
    variables = frozenset(name for name, value in os.environ.items() if value)
    text = draft(providers, providers[0].id, variables, 3000)
    unset = missing(text, variables)
    try:
        written(path, text, {**os.environ, **dict.fromkeys(unset, "to-come")})
    except OSError as error:
        say(f"ucr-trio: {path}: {error.strerror}", "red", is_error=True)
        sys.exit(FAILED)
    say(f"{path} is written", "green")
    for name in unset:
        say(f"next: export {name}=...  # the key, which the file only names")


@config.command()
def schema() -> None:
    """Print the JSON Schema of the file, for editors."""
    from ucr.config.schema import schema_text

    click.echo(schema_text(), nl=False)


@config.command()
@_file
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of words.")
def show(config: str | None, as_json: bool) -> None:
    """Print every value that holds and where it comes from; secrets are hidden."""
    from ucr.errors import ConfigError
    from ucr.operate.origins import origins

    try:
        found = origins(config, os.environ)
    except ConfigError as error:
        say(str(error), "red", is_error=True)
        sys.exit(UNUSABLE)
    if as_json:
        click.echo(json.dumps([{"key": k, "value": v, "origin": o} for k, v, o in found], indent=2))
        return
    for key, value, origin in found:
        say(
            f"{key} = {json.dumps(value, ensure_ascii=False)}  # {origin}",
            None if origin == "default" else "cyan",
        )


@config.command()
@_file
def edit(config: str | None) -> None:
    """Open the file in your editor; what is wrong with it afterwards is said."""
    from ucr.config.overrides import Overrides
    from ucr.config.places import config_place
    from ucr.errors import ConfigError
    from ucr.starting import from_file

    try:
        place = config_place(config, os.environ, lambda path: Path(path).is_file())
        if place is None:
            say("there is no file yet: ucr-trio setup, or ucr-trio config init", "red", is_error=True)
            sys.exit(UNUSABLE)
        if not (sys.stdin.isatty() or os.environ.get("VISUAL") or os.environ.get("EDITOR")):
            say(
                f"no terminal is here for an editor: set VISUAL to one that needs none, or change {place}",
                "red",
                is_error=True,
            )
            sys.exit(UNUSABLE)
        click.edit(filename=place)
        from_file(place, os.environ, Overrides())
    except ConfigError as error:
        for problem in error.problems:
            say(str(problem), "red", is_error=True)
        sys.exit(UNUSABLE)
    say(f"{place}: ok", "green")
