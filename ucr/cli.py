"""The command line: `ucr-trio serve | check | demo | tree | --version`. Exit codes: 0 ok, 1 failed, 2 usage or setup."""

import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial

import click
import trio

from actors import RealNetwork
from ucr import __version__
from ucr.config.model import Config
from ucr.config.overrides import Overrides
from ucr.demo import open_demo
from ucr.demo_client import hold_conversation
from ucr.discovery import discovered
from ucr.errors import ConfigError, Problem
from ucr.logs import OpenLog, make_log
from ucr.starting import banner, demo_provider, from_file, starting
from ucr.tree_command import tree
from ucr.worker import serve as serve_worker

FAILED, UNUSABLE = 1, 2
_WRITE_TIMEOUT_MS = 60_000

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
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error", "critical"]))
def serve(config: str | None, host: str | None, port: int | None, log_level: str | None) -> None:
    """Serve the router until SIGTERM or SIGINT."""
    overrides = Overrides(host=host, port=port, log_level=log_level)
    try:
        trio.run(_serve, config, overrides)
    except* ConfigError as group:
        _refuse(group)


async def _serve(option: str | None, overrides: Overrides) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with starting(option, os.environ, overrides) as config:
            listeners = _listeners(config)
            port = listeners[0].socket.getsockname()[1]
            click.echo(banner(config, port), err=True)
            log = OpenLog(config, partial(datetime.now, UTC)).log
            await serve_worker(config, listeners, RealNetwork(), log, partial(_stopped, signals))


async def _stopped(signals: AsyncIterator[int]) -> None:
    async for _ in signals:
        return


def _listeners(config: Config) -> list[trio.SocketListener]:
    """Bind the port; raise `ConfigError` with a remedy when that cannot be."""
    host, port = config.server.host, config.server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _WRITE_TIMEOUT_MS)
        bound.bind((host, port))
        bound.listen(1024)
        bound.setblocking(False)
    except OSError as error:
        bound.close()
        why = f"cannot be listened on: {error.strerror}; choose another --host or --port"
        raise ConfigError((Problem(config.source, "server", f"{host}:{port}", why),)) from None
    return [trio.SocketListener(trio.socket.from_stdlib_socket(bound))]


@main.command()
@_config_option
def check(config: str | None) -> None:
    """Check the configuration and print everything that is wrong with it."""
    try:
        found = from_file(config, os.environ, Overrides())
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
    async with open_demo() as base_url:
        config = discovered((demo_provider(base_url),), Overrides(port=0))
        listeners = _listeners(config)
        port = listeners[0].socket.getsockname()[1]
        log = make_log("warning", (), (_to_stderr,), partial(datetime.now, UTC))
        done = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve_worker, config, listeners, RealNetwork(), log, done.wait)
            succeeded = await hold_conversation(f"http://127.0.0.1:{port}", click.echo)
            done.set()
    return succeeded


def _to_stderr(line: bytes) -> None:
    sys.stderr.write(line.decode())


def _refuse(group: BaseExceptionGroup[ConfigError]) -> None:
    for error in group.exceptions:
        for problem in getattr(error, "problems", ()):
            click.echo(str(problem), err=True)
    sys.exit(UNUSABLE)


if __name__ == "__main__":
    main(prog_name="ucr-trio")
