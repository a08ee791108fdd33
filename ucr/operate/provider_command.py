"""`ucr-trio providers list | test | discover` and `ucr-trio models list | info`: what is configured, and what is there."""

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from ucr.operate.doctor_command import shown_while, tell
from ucr.operate.progress import say

if TYPE_CHECKING:
    from ucr.config.model import Config, Provider

FAILED, UNUSABLE = 1, 2
_NOBODY = "nobody is configured: set a provider's key in the environment, or write a file with ucr-trio setup"

_file = click.option("--config", metavar="FILE", help="The configuration; see docs/configuration.md.")
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of words.")


@click.group()
def providers() -> None:
    """The providers of the configuration."""


@providers.command("list")
@_file
@_json
def list_providers(config: str | None, as_json: bool) -> None:
    """Print the providers, whom each of them speaks to and whether it has a key."""
    rows = [
        {
            "id": provider.id,
            "dialect": provider.dialect,
            "base_url": provider.base_url,
            "enabled": provider.enabled,
            "keys": len(provider.api_keys),
            "default_model": provider.default_model,
        }
        for provider in _configured(config).providers
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        say(_NOBODY, is_error=True)
    for row in rows:
        state = "" if row["enabled"] else ", not enabled"
        model = row["default_model"] or "the model asked for"
        keys = f"{row['keys']} key" + ("" if row["keys"] == 1 else "s")
        click.echo(f"{row['id']}: {row['dialect']} at {row['base_url']}, {model}, {keys}{state}")


@providers.command("test")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@_file
@_json
def try_providers(ids: tuple[str, ...], config: str | None, as_json: bool) -> None:
    """Ask providers for their models with each of their keys; all of them if none is named."""
    from dataclasses import asdict

    import trio

    from actors import RealNetwork
    from ucr.operate.examination import of_providers
    from ucr.operate.finding import Finding, is_well

    chosen = _chosen(_configured(config), ids)

    async def ask() -> list[Finding]:
        return await of_providers(chosen, RealNetwork(), time.time)

    findings = trio.run(shown_while, "asking providers", ask)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            tell(finding)
    if not is_well(findings):
        sys.exit(FAILED)


@providers.command()
@click.argument("provider_id", metavar="ID")
@_file
@_json
def discover(provider_id: str, config: str | None, as_json: bool) -> None:
    """Ask a provider which models it has, and print their names."""
    import trio

    from actors import RealNetwork
    from ucr.operate.contact import Contact, contacted
    from ucr.operate.finding import is_well

    (provider,) = _chosen(_configured(config), (provider_id,))

    async def ask() -> Contact:
        return await contacted(provider, RealNetwork(), time.time)

    contact = trio.run(shown_while, f"asking {provider.id}", ask)
    if not is_well(contact.findings):
        for finding in contact.findings:
            say(f"{finding.area}: {finding.words}; {finding.remedy}", "red", is_error=True)
        sys.exit(FAILED)
    click.echo(json.dumps(contact.models) if as_json else "\n".join(contact.models))


@click.group()
def models() -> None:
    """The models that can be asked for."""


@models.command("list")
@_file
@_json
def list_models(config: str | None, as_json: bool) -> None:
    """Print the names that are certain to be served, and by whom."""
    from ucr.models import known_models

    known = known_models(_configured(config))
    if as_json:
        click.echo(json.dumps([{"id": entry.id, "provider": entry.owner} for entry in known], indent=2))
        return
    if not known:
        say(_NOBODY, is_error=True)
    for entry in known:
        click.echo(f"{entry.id}  ({entry.owner})")


@models.command()
@click.argument("name")
@_file
@_json
def info(name: str, config: str | None, as_json: bool) -> None:
    """Say who serves a model by its name alone, as what, and how much it holds."""
    from ucr.errors import ApiError
    from ucr.routing import candidates
    from ucr.window import window_of

    try:
        found = candidates(_configured(config), name)
    except ApiError as error:
        say(str(error), "red", is_error=True)
        sys.exit(FAILED)
    rows: list[dict[str, Any]] = [
        {"provider": c.provider.id, "model": c.model, "route": c.route, "context_window": window_of(c)}
        for c in found
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        window = "unknown" if row["context_window"] is None else f"{row['context_window']} tokens"
        click.echo(f"{row['provider']}/{row['model']}  (route {row['route']}, window {window})")


def _configured(option: str | None) -> "Config":
    from ucr.errors import ConfigError
    from ucr.operate.reaching import configuration

    try:
        return configuration(option, os.environ)
    except ConfigError as error:
        for problem in error.problems:
            say(str(problem), "red", is_error=True)
        sys.exit(UNUSABLE)


def _chosen(config: "Config", ids: tuple[str, ...]) -> "tuple[Provider, ...]":
    by_id = {provider.id: provider for provider in config.providers}
    unknown = [name for name in ids if name not in by_id]
    if unknown:
        known = ", ".join(by_id) or "none"
        say(f"there is no provider {unknown[0]!r}; known are {known}", "red", is_error=True)
        sys.exit(UNUSABLE)
    return tuple(by_id[name] for name in ids) if ids else config.providers
