"""`ucr-trio probe PROVIDER[/MODEL]`: asks a provider what it can do, and prints what was seen.

A router of its own, on a port of loopback that lives as long as the probe, asks the provider; it costs a dozen requests.
"""

import json
import os
import sys
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from ucr.config.model import Config, Provider
    from ucr.probe.card import Results

FAILED, UNUSABLE = 1, 2


@click.command()
@click.argument("target", metavar="PROVIDER[/MODEL]")
@click.option("--json", "is_json", is_flag=True, help="Print JSON instead of a card.")
@click.option("--save", "is_saved", is_flag=True, help="Keep the card for the router to go by.")
@click.option("--config", metavar="FILE", help="The configuration; see docs/configuration.md.")
def probe(target: str, is_json: bool, is_saved: bool, config: str | None) -> None:
    """Ask a provider what it can do: a dozen requests to one of its models."""
    import trio

    from ucr.errors import ConfigError
    from ucr.probe.card import as_json, config_for, lines, passed

    name, _, model = target.partition("/")
    try:
        found = _config(config)
    except ConfigError as error:
        _end(UNUSABLE, str(error))
    provider = next((entry for entry in found.providers if entry.id == name), None)
    if provider is None:
        known = ", ".join(entry.id for entry in found.providers) or "none"
        _end(UNUSABLE, f"there is no provider {name!r} with a key; there are: {known}")
    model = model or provider.default_model or ""
    if not model:
        _end(UNUSABLE, f"{name!r} has no default model; write {name}/MODEL")
    results = trio.run(_probed, config_for(found, provider), f"{name}/{model}")
    told = as_json(f"{name}/{model}", results)
    click.echo(json.dumps(told) if is_json else "\n".join(lines(f"{name}/{model}", results)))
    if is_saved:
        _save(provider, model, results)
    if not passed(results):
        sys.exit(FAILED)


def _save(provider: "Provider", model: str, results: "Results") -> None:
    """Keep the card; of a provider that did not answer there is none to keep."""
    from ucr.probe.card_file import card_file
    from ucr.probe.cards import card_of

    card = card_of(provider, model, results, datetime.now(UTC))
    if card is None:
        _end(FAILED, "the card is not saved, for the provider did not answer as it should")
    file = card_file(os.environ)
    try:
        file.save(card)
    except OSError as error:
        _end(FAILED, f"{file.path}: cannot be written: {error.strerror}")
    click.echo(f"saved in {file.path}; a router that runs uses it after a reload", err=True)


def _config(option: str | None) -> "Config":
    """Return the configuration of the file, else of what the environment and signing in offer."""
    from ucr.auth.file import credential_file
    from ucr.auth.grant import Unusable
    from ucr.config.overrides import Overrides
    from ucr.discovery import discovered, keyed_providers
    from ucr.starting import from_file

    found = from_file(option, os.environ, Overrides(), is_carded=False)
    if found is not None:
        return found
    try:
        return discovered(keyed_providers(os.environ, credential_file(os.environ).read()), Overrides())
    except Unusable as error:
        _end(FAILED, str(error))


async def _probed(config: "Config", model: str) -> "Results":
    from actors import PoolTransport, RealNetwork
    from ucr import listening
    from ucr.auth.file import credential_file
    from ucr.logs import make_log
    from ucr.probe.run import Prober
    from ucr.worker import open_worker

    sockets = listening.bind(config)
    url = f"http://127.0.0.1:{listening.port_of(sockets)}"
    log = make_log(
        "critical",
        tuple(secret.reveal() for secret in config.secrets),
        (_to_stderr,),
        partial(datetime.now, UTC),
    )
    listeners = listening.listeners(sockets)
    signed_in = credential_file(os.environ)
    async with open_worker(config, listeners, RealNetwork(), log, signed_in=signed_in) as worker:
        async with aclosing(PoolTransport(RealNetwork())) as transport:
            results = await Prober(transport, url, model).run()
        await worker.drain(0.0)
    return results


def _to_stderr(line: bytes) -> None:
    sys.stderr.write(line.decode())


def _end(status: int, words: str) -> NoReturn:
    click.echo(words, err=True)
    sys.exit(status)
