"""The commands of `ucr-trio`. Exit codes: 0 ok, 1 failed, 2 usage, configuration or port.

What a command does is loaded by the command: none carries what another needs.
"""

import os
import sys

import click

from ucr import __version__
from ucr.auth.command import auth
from ucr.begun import Begun
from ucr.cache_command import cache
from ucr.cost_command import cost
from ucr.explain_command import explain
from ucr.journal.commands import logs, replay
from ucr.observe.top_command import top
from ucr.operate.change_command import disable, enable, set_model
from ucr.operate.client_command import code, codex
from ucr.operate.completion_command import completion
from ucr.operate.config_command import config as config_group
from ucr.operate.doctor_command import doctor
from ucr.operate.provider_command import models, providers
from ucr.operate.report_command import report
from ucr.operate.setup_command import setup
from ucr.operate.start_command import start, status, stop
from ucr.probe.command import probe
from ucr.stress_command import stress
from ucr.tree_command import tree

FAILED, UNUSABLE = 1, 2

_config_option = click.option("--config", metavar="FILE", help="The configuration; see docs/configuration.md.")


def _tell(line: str) -> None:
    click.echo(line, err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ucr-trio")
def main() -> None:
    """The universal Claude router."""


main.add_command(auth)
main.add_command(probe)
main.add_command(cost)
main.add_command(stress)
main.add_command(tree)
main.add_command(top)
main.add_command(cache)
main.add_command(explain)
main.add_command(start)
main.add_command(stop)
main.add_command(status)
main.add_command(code)
main.add_command(codex)
main.add_command(doctor)
main.add_command(report)
main.add_command(logs)
main.add_command(replay)
main.add_command(setup)
main.add_command(config_group)
models.add_command(set_model)
main.add_command(models)
providers.add_command(enable)
providers.add_command(disable)
main.add_command(providers)
main.add_command(completion)


@main.command()
@_config_option
@click.option("--host", help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port to listen on; 0 takes a free one.")
@click.option("--workers", type=click.IntRange(1, 64), help="Number of worker processes.")
@click.option("--in-process", is_flag=True, help="Serve in this process, without a parent.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error", "critical"]))
@click.pass_obj
def serve(
    begun: Begun | None,
    config: str | None,
    host: str | None,
    port: int | None,
    workers: int | None,
    in_process: bool,
    log_level: str | None,
) -> None:
    """Serve the router until SIGTERM or SIGINT."""
    from ucr import launch
    from ucr.config.overrides import Overrides

    overrides = Overrides(host=host, port=port, workers=workers, log_level=log_level)
    if status := launch.serve(config, overrides, _tell, in_process=in_process, begun=begun):
        sys.exit(status)


@main.command()
@_config_option
def check(config: str | None) -> None:
    """Check the configuration and print everything that is wrong with it."""
    from ucr.config.overrides import Overrides
    from ucr.errors import ConfigError
    from ucr.starting import from_file, usable

    try:
        found = from_file(config, os.environ, Overrides())
        if found is not None:
            usable(found)
    except ConfigError as error:
        for problem in error.problems:
            _tell(str(problem))
        sys.exit(UNUSABLE)
    if found is None:
        click.echo("no configuration file: providers are discovered at the start")
        return
    for warning in found.warnings:
        _tell(f"warning: {warning}")
    for provider in found.providers:
        for line in provider.cards:
            click.echo(f"card of {provider.id}/{line}")
    count = len(found.providers)
    click.echo(f"{found.source}: ok, {count} provider{'' if count == 1 else 's'}")


@main.command()
def demo() -> None:
    """Start a router, hold one tool-using conversation through it, print it, stop."""
    import trio

    from ucr import launch

    if not trio.run(launch.demo, click.echo):
        sys.exit(FAILED)
