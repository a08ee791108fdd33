"""The command line: `ucr-trio serve | check | demo | tree | --version`. Exit codes: 0 ok, 1 failed, 2 usage or setup."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

import click
import trio

from ucr import __version__, hygiene, listening, parent, tls
from ucr.config.model import Config
from ucr.config.overrides import Overrides
from ucr.demo import open_demo
from ucr.discovery import discovered
from ucr.errors import ConfigError, Problem
from ucr.hired import Unready
from ucr.logs import OpenLog, make_log
from ucr.starting import Source, banner, demo_provider, from_file
from ucr.tree_command import tree
from ucr.wishes import EndedAtOnce

FAILED, UNUSABLE = 1, 2

_config_option = click.option("--config", metavar="FILE", help="The configuration; see docs/configuration.md.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ucr-trio")
def main() -> None:
    """The universal Claude router."""


main.add_command(tree)


@main.command()
@_config_option
@click.option("--host", help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port to listen on; 0 takes a free one.")
@click.option("--workers", type=click.IntRange(1, 64), help="Number of worker processes.")
@click.option("--in-process", is_flag=True, help="Serve in this process, without a parent.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error", "critical"]))
def serve(
    config: str | None,
    host: str | None,
    port: int | None,
    workers: int | None,
    in_process: bool,
    log_level: str | None,
) -> None:
    """Serve the router until SIGTERM or SIGINT."""
    hygiene.let_go_of_stdin()
    hygiene.raise_descriptor_limit()
    hygiene.forbid_core_files()
    source = Source(config, os.environ, Overrides(host=host, port=port, workers=workers, log_level=log_level))
    try:
        trio.run(_serve_alone if in_process else _serve, source)
    except* ConfigError as group:
        _refuse(group)
    except* (Unready, EndedAtOnce) as failed:
        _fail(failed)


async def _serve(source: Source) -> None:
    async with source.starting(parent.demo_process) as config:
        sockets = listening.bind(config)
        await parent.run(config, sockets, _open_log(config), source, _announce)


async def _serve_alone(source: Source) -> None:
    from ucr import alone

    async with source.starting() as config:
        sockets = listening.bind(config)
        await alone.run(config, sockets, _open_log(config), source, _announce)


def _open_log(config: Config) -> OpenLog:
    try:
        return OpenLog(config, partial(datetime.now, UTC))
    except (OSError, ValueError) as error:
        why = f"cannot be written to: {error}; choose another file"
        raise ConfigError((Problem(config.source, "logging.file", config.logging.file or "", why),)) from None


def _announce(config: Config, port: int) -> None:
    click.echo(banner(config, port), err=True)


@main.command()
@_config_option
def check(config: str | None) -> None:
    """Check the configuration and print everything that is wrong with it."""
    try:
        found = from_file(config, os.environ, Overrides())
        if found is not None:
            tls.check(found)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        sys.exit(UNUSABLE)
    if found is None:
        click.echo("no configuration file: providers are discovered at the start")
        return
    for warning in found.warnings:
        click.echo(f"warning: {warning}", err=True)
    count = len(found.providers)
    click.echo(f"{found.source}: ok, {count} provider{'' if count == 1 else 's'}")


@main.command()
def demo() -> None:
    """Start a router, hold one tool-using conversation through it, print it, stop."""
    if not trio.run(_demo):
        sys.exit(FAILED)


async def _demo() -> bool:
    from actors import RealNetwork
    from ucr.demo_client import hold_conversation
    from ucr.worker import serve as serve_worker

    async with open_demo() as base_url:
        config = discovered((demo_provider(base_url),), Overrides(port=0))
        sockets = listening.bind(config)
        port = listening.port_of(sockets)
        listeners = listening.listeners(sockets)
        log = make_log("warning", (), (_to_stderr,), partial(datetime.now, UTC))
        done = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve_worker, config, listeners, RealNetwork(), log, done.wait)
            succeeded = await hold_conversation(f"http://127.0.0.1:{port}", click.echo)
            done.set()
    return succeeded


def _to_stderr(line: bytes) -> None:
    sys.stderr.write(line.decode())


def _fail(group: BaseExceptionGroup[Exception]) -> None:
    for error in _leaves(group):
        if str(error):
            click.echo(f"ucr-trio: {error}", err=True)
    sys.exit(FAILED)


def _refuse(group: BaseExceptionGroup[ConfigError]) -> None:
    for error in _leaves(group):
        for problem in getattr(error, "problems", ()):
            click.echo(str(problem), err=True)
    sys.exit(UNUSABLE)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """Give the errors of a group, however deep the nurseries were that they came through."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


if __name__ == "__main__":
    main(prog_name="ucr-trio")
