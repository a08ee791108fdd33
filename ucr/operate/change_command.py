"""`ucr-trio models set` and `ucr-trio providers enable | disable`: changes of the file, which a running router follows."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from ucr.operate.progress import say

UNUSABLE = 2

_file = click.option("--config", metavar="FILE", help="The configuration; see docs/configuration.md.")


@click.command("set")
@click.argument("name")
@click.argument("target")
@_file
def set_model(name: str, target: str, config: str | None) -> None:
    """Let NAME stand for TARGET, a provider or PROVIDER/MODEL."""
    from ucr.operate.editing import with_alias

    _change(config, lambda text: with_alias(text, name, target), f"{name} stands for {target}")


@click.command()
@click.argument("provider_id", metavar="ID")
@_file
def enable(provider_id: str, config: str | None) -> None:
    """Take a provider back into service."""
    from ucr.operate.editing import with_enabled

    _change(config, lambda text: with_enabled(text, provider_id, enabled=True), f"{provider_id} is enabled")


@click.command()
@click.argument("provider_id", metavar="ID")
@_file
def disable(provider_id: str, config: str | None) -> None:
    """Take a provider out of service."""
    from ucr.operate.editing import with_enabled

    _change(config, lambda text: with_enabled(text, provider_id, enabled=False), f"{provider_id} is disabled")


def _change(option: str | None, change: Callable[[str], str], words: str) -> None:
    from ucr.config.places import config_place
    from ucr.errors import ConfigError
    from ucr.operate.editing import Unchangeable
    from ucr.operate.writing import written

    try:
        place = config_place(option, os.environ, lambda path: Path(path).is_file())
        if place is None:
            raise Unchangeable("there is no configuration file: ucr-trio setup writes one")
        if not place.endswith(".toml"):
            raise Unchangeable(f"{place}: only a TOML file can be changed by a command")
        config = written(Path(place), change(Path(place).read_text("utf-8")), os.environ)
    except ConfigError as error:
        for problem in error.problems:
            say(str(problem), "red", is_error=True)
        sys.exit(UNUSABLE)
    except (Unchangeable, OSError, ValueError) as error:
        say(f"ucr-trio: {error}", "red", is_error=True)
        sys.exit(UNUSABLE)
    for warning in config.warnings:
        say(f"warning: {warning}", "yellow", is_error=True)
    say(f"{place}: {words}; a running router follows", "green")
