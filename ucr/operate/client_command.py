"""`ucr-trio code` and `ucr-trio codex`: Claude Code and Codex on the router, which is started when it does not run.

Everything that stands behind the command goes to the client as it is, options such as `--help` too: no shell comes
between, and the client takes the place of this process, so that its exit status and its terminal are its own.
"""

import os
import shutil
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from ucr.operate.progress import say

FAILED, UNUSABLE = 1, 2


class PassedOn(click.Command):
    """A command whose arguments are all somebody else's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take every argument, `--` and `--help` among them."""
        ctx.params["arguments"] = tuple(args)
        return []


@click.command(cls=PassedOn, add_help_option=False)
def code(arguments: tuple[str, ...]) -> None:
    """Run Claude Code on the router; all arguments are Claude Code's."""
    from ucr.operate.surroundings import claude_environment

    program = _program("claude", "npm install -g @anthropic-ai/claude-code")
    url, config, token = _router(is_claude=True)
    environ = claude_environment(os.environ, url, token, config)
    _become(program, ("claude", *arguments), environ)


@click.command(cls=PassedOn, add_help_option=False)
def codex(arguments: tuple[str, ...]) -> None:
    """Run Codex on the router; all arguments are Codex's."""
    from ucr.operate.surroundings import CODEX_TOKEN, codex_options

    program = _program("codex", "npm install -g @openai/codex")
    url, config, token = _router(is_claude=False)
    environ = {**os.environ, CODEX_TOKEN: token}
    _become(program, ("codex", *codex_options(url, config), *arguments), environ)


def _program(name: str, remedy: str) -> str:
    found = shutil.which(name)
    if found is None:
        _fail(f"{name} is not installed, or not on PATH: {remedy}", FAILED)
    return found


def _router(*, is_claude: bool) -> tuple[str, Any, str]:
    """Return where the router listens, its configuration, and a key for its clients; end where that cannot be had."""
    from ucr.errors import ConfigError
    from ucr.operate.background import NotStarted
    from ucr.operate.reaching import reached
    from ucr.operate.settings import found_contradictions
    from ucr.operate.surroundings import NoToken, client_token

    try:
        url, config = reached(os.environ)
        token = client_token(config, os.environ)
    except NotStarted as error:
        _fail("\n".join((*error.lines, f"ucr-trio: {error}")), error.status)
    except (ConfigError, NoToken) as error:
        _fail(f"ucr-trio: {error}", UNUSABLE)
    except OSError as error:
        _fail(f"ucr-trio: {error}", FAILED)
    if is_claude and (wrong := found_contradictions(os.environ, url)):
        _fail("\n".join(map(str, wrong)), UNUSABLE)
    return url, config, token


def _become(
    program: str,
    arguments: tuple[str, ...],
    environ: dict[str, str],
    execute: Callable[[str, tuple[str, ...], dict[str, str]], None] = os.execve,
) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        execute(program, arguments, environ)
    except OSError as error:
        _fail(f"ucr-trio: {program}: {error.strerror}", FAILED)


def _fail(words: str, status: int) -> NoReturn:
    say(words, "red", is_error=True)
    sys.exit(status)
