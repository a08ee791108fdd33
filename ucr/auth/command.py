"""`ucr-trio auth login | logout | list | refresh`: signs in at providers and out again.

Secrets are typed without being shown, or read from standard input where that is no terminal; none is ever printed.
"""

import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from ucr.auth.credential import Credential, Credentials
    from ucr.auth.grant import DeviceCode
    from ucr.auth.login import Login
    from ucr.config.model import Provider

FAILED, UNUSABLE = 1, 2

_config_option = click.option("--config", metavar="FILE", help="The configuration; see docs/configuration.md.")


@click.group()
def auth() -> None:
    """Sign in at providers, and out again; see docs/auth.md."""


@auth.command()
@click.argument("provider")
@click.option("--key", "with_key", is_flag=True, help="Type an API key even where there is another sign-in.")
@_config_option
def login(provider: str, with_key: bool, config: str | None) -> None:
    """Sign in at a provider: in a browser where it has that, else with an API key."""
    found = _provider(provider, config)
    if found.auth == "none":
        _end(UNUSABLE, f"provider {provider!r} wants no key")

    async def run(login: "Login") -> str:
        kept = await login.run(_asked, _show, with_key=with_key)
        return "an API key" if kept.kind == "api_key" else "signed in"

    _run(found, run)


@auth.command()
@click.argument("provider", required=False)
@click.option("--all", "everywhere", is_flag=True, help="Sign out everywhere.")
def logout(provider: str | None, everywhere: bool) -> None:
    """Forget the credential of a provider, or of all."""
    from ucr.auth.file import credential_file
    from ucr.auth.grant import Unusable

    if (provider is None) is not everywhere:
        raise click.UsageError("name a provider, or write --all")
    file = credential_file(os.environ)
    try:
        names = tuple(file.read()) if provider is None else (provider,)
        for name in names:
            was_there = file.change(name, None)
            click.echo(f"{name}: {'signed out' if was_there else 'nobody has signed in'}")
    except (Unusable, OSError) as error:
        _end(FAILED, str(error))


@auth.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of words.")
def list_(as_json: bool) -> None:
    """Print at which providers somebody has signed in, and until when; no secret."""
    from ucr.auth.file import credential_file
    from ucr.auth.grant import Unusable

    file = credential_file(os.environ)
    try:
        kept = file.read()
    except Unusable as error:
        _end(FAILED, str(error))
    if as_json:
        shown = [{"provider": name, **_facts(kept[name])} for name in sorted(kept)]
        click.echo(json.dumps({"file": str(file.path), "protection": file.protection, "credentials": shown}))
        return
    shown_lines = tuple(lines(kept, time.time())) or ("  nobody is signed in; see ucr-trio auth login --help",)
    click.echo("\n".join((f"{file.path}, {file.protection}", *shown_lines)))


@auth.command()
@click.argument("provider", required=False)
@_config_option
def refresh(provider: str | None, config: str | None) -> None:
    """Renew the tokens of a provider, or of all, whether they have to be or not."""
    from ucr.auth.file import credential_file
    from ucr.auth.grant import Unusable

    try:
        names = tuple(sorted(credential_file(os.environ).read())) if provider is None else (provider,)
    except Unusable as error:
        _end(FAILED, str(error))

    async def run(login: "Login") -> str:
        return await login.renew()

    results = [_run(_provider(name, config), run, is_last=False) for name in names]
    if not all(results):
        sys.exit(FAILED)


def lines(kept: "Credentials", unix_s: float) -> Iterator[str]:
    """Give a line for each credential: whose it is, of what kind, and how long it holds."""
    for name in sorted(kept):
        credential = kept[name]
        kind = credential.kind.replace("_", " ")
        yield f"  {name}: {kind}, {_end_of(credential, unix_s)}"


def _end_of(credential: "Credential", unix_s: float) -> str:
    if credential.expires_unix is None:
        return "without an end"
    minutes = (credential.expires_unix - unix_s) / 60
    if credential.refresh:
        return f"renewed by itself, next within {max(minutes, 0):.0f} min"
    return f"ends in {minutes:.0f} min" if minutes > 0 else "has ended; sign in again"


def _facts(credential: "Credential") -> dict[str, object]:
    return {
        "kind": credential.kind,
        "expires_unix": credential.expires_unix,
        "is_renewable": bool(credential.refresh),
        "saved_unix": credential.saved_unix,
        "base_url": credential.base_url,
    }


def _provider(name: str, config: str | None) -> "Provider":
    """Return a provider of the configuration, where there is one, or of the catalogue; end when there is none."""
    from ucr.auth.credential import Credential
    from ucr.catalogue import ROWS, row
    from ucr.config.overrides import Overrides
    from ucr.config.providers import provider_of
    from ucr.errors import ConfigError
    from ucr.secret import Secret
    from ucr.starting import from_file

    # No key is missing here: it is what the user is about to type.
    typed = Credential("api_key", Secret("typed"))
    pretended = dict.fromkeys((*(entry.id for entry in ROWS), name), typed)
    try:
        found = from_file(config, os.environ, Overrides(), pretended)
    except ConfigError as error:
        _end(UNUSABLE, str(error))
    named = [entry for entry in found.providers if entry.id == name] if found is not None else []
    known = row(name)
    if named:
        return named[0]
    if known is None:
        _end(UNUSABLE, f"there is no provider {name!r}, neither in the configuration nor in the catalogue")
    return provider_of(known)


def _run(provider: "Provider", act: Callable[["Login"], Awaitable[str]], *, is_last: bool = True) -> bool:
    """Act for a provider and say what came of it; end with status 1 when it failed and `is_last`."""
    import trio

    from actors import RealNetwork
    from ucr.auth.file import credential_file
    from ucr.auth.grant import Unusable
    from ucr.auth.login import Login
    from ucr.auth.server import NoAnswer

    file = credential_file(os.environ)
    try:
        words = trio.run(act, Login(provider, file, RealNetwork(), time.time))
    except (Unusable, NoAnswer, OSError) as error:
        click.echo(f"{provider.id}: {error}", err=True)
        if is_last:
            sys.exit(FAILED)
        return False
    except KeyboardInterrupt:
        _end(FAILED, f"{provider.id}: not signed in")
    click.echo(f"{provider.id}: {words}" + (f"; kept in {file.path}, {file.protection}" if is_last else ""))
    return True


def _asked(what: str) -> str:
    if sys.stdin.isatty():
        typed: str = click.prompt(what, hide_input=True, err=True)
        return typed
    return sys.stdin.readline()


def _show(code: "DeviceCode") -> None:
    click.echo(f"open {code.url} and type {code.user_code}; waiting for {code.life_s / 60:.0f} min", err=True)


def _end(status: int, words: str) -> NoReturn:
    click.echo(words, err=True)
    sys.exit(status)
