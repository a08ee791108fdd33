"""From a command line to a configuration: the file when there is one, else what can be found."""

import os
import stat
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ucr import custom_check, extras, tls
from ucr.auth.credential import Credentials
from ucr.auth.file import credential_file
from ucr.auth.grant import Unusable
from ucr.config.load import NO_CREDENTIALS, NO_OVERRIDES, load, load_tree
from ucr.config.model import Config, Provider
from ucr.config.overrides import Overrides, overrides_of
from ucr.config.places import config_place
from ucr.discovery import PROBES, Probe, discovered, keyed_providers
from ucr.errors import ConfigError, Problem
from ucr.probe.card_file import with_cards
from ucr.tokens import problem_of
from ucr.watch import Signature, signature_of

DEMO = "demo"
LIMIT_BYTES = 2 * 1024 * 1024
OTHERS = stat.S_IRGRP | stat.S_IROTH


def from_file(
    option: str | None,
    environ: Mapping[str, str],
    overrides: Overrides,
    credentials: Credentials | None = None,
    *,
    is_carded: bool = True,
) -> Config | None:
    """Return the configuration of the file that is found, or None without one; raise `ConfigError`.

    `credentials` are what signing in has left; without them those of the state folder are read. Saved cards are laid over
    it when it `is_carded`.
    """
    wanted = overrides.over(overrides_of(environ))
    place = config_place(option, environ, lambda path: Path(path).is_file())
    if place is None:
        return None
    text, mode = _text(place)
    read = partial(load, text, place, environ, wanted)
    config = with_credentials(_loaded(read, environ, credentials), place)
    if is_carded:
        config = with_cards(config, environ)
    written = (
        quoted for secret in config.secrets for quoted in (f'"{secret.reveal()}"', f"'{secret.reveal()}'")
    )
    if mode & OTHERS and any(quoted in text for quoted in written):
        words = f"{place}: holds keys and can be read by others; chmod 600 it, or write ${{NAME}} for the keys"
        return replace(config, warnings=(*config.warnings, words))
    return config


def from_tree(tree: dict[str, Any], name: str, environ: Mapping[str, str]) -> Config:
    """Return the configuration of tables such as a file holds; raise `ConfigError`. Saved cards are laid over it."""
    config = _loaded(partial(load_tree, tree, name, environ, NO_OVERRIDES), environ, None)
    return with_cards(with_credentials(config, name), environ)


def usable(config: Config) -> Config:
    """Return the configuration; raise `ConfigError` where what it names is not on this machine."""
    problems: list[Problem] = []
    for check in (tls.check, custom_check.check, extras.check):
        try:
            check(config)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(tuple(problems))
    return config


def _loaded(
    read: Callable[[Credentials], Config], environ: Mapping[str, str], credentials: Credentials | None
) -> Config:
    """Read a configuration. Credentials that cannot be read are a problem only where a key is missing."""
    try:
        return read(credential_file(environ).read() if credentials is None else credentials)
    except Unusable as error:
        unread = str(error)
    try:
        config = read(NO_CREDENTIALS)
    except ConfigError as error:
        file, _, words = unread.partition(": ")
        raise ConfigError((*error.problems, Problem(file, "credentials", "", words))) from None
    return replace(config, warnings=(*config.warnings, unread))


def with_credentials(config: Config, file: str) -> Config:
    """Return the configuration with the secrets in its files of credentials; raise `ConfigError` for what is wrong."""
    named = [(entry.id, entry.credentials) for entry in config.providers if entry.enabled and entry.credentials]
    found = [problem_of(file, f"providers.{name}.credentials", place) for name, place in named]
    problems = tuple(problem for problem, _ in found if problem is not None)
    if problems:
        raise ConfigError(problems)
    secrets = (secret for _, more in found for secret in more)
    return replace(config, secrets=(*config.secrets, *secrets)) if found else config


def _text(place: str) -> tuple[str, int]:
    """Return what a file holds, and its mode."""
    try:
        with Path(place).open("rb") as file:
            data, mode = file.read(LIMIT_BYTES + 1), os.fstat(file.fileno()).st_mode
        if len(data) > LIMIT_BYTES:
            raise ConfigError((Problem(place, "file", "", "is larger than 2 MiB; is this the right file?"),))
        return data.decode("utf-8"), mode
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError((Problem(place, "file", "", f"cannot be read: {error}"),)) from None


Demo = Callable[[], AbstractAsyncContextManager[str]]


class Source:
    """Where a configuration comes from, at the start and at every reload."""

    def __init__(self, option: str | None, environ: Mapping[str, str], overrides: Overrides) -> None:
        self._option = option
        self._environ = environ
        self._overrides = overrides
        self._discovered: Config | None = None
        self.signature: Signature = None

    def __repr__(self) -> str:
        return f"<Source {self.place() or 'without a file'}>"

    def place(self) -> str | None:
        """Return the file that would be read now; None when there is none."""
        try:
            return config_place(self._option, self._environ, lambda path: Path(path).is_file())
        except ConfigError:
            return None

    def read(self) -> Config:
        """Return the configuration of the file as it is now; without one, what was discovered at the start. Saved cards
        are laid over both.

        Raises `ConfigError` when the file is wrong, or gone.
        """
        config = from_file(self._option, self._environ, self._overrides)
        if config is not None:
            return usable(config)
        if self._discovered is None:
            raise ConfigError((Problem("configuration", "file", "", "the file is gone; put it back"),))
        return with_cards(self._discovered, self._environ)

    @asynccontextmanager
    async def starting(self, demo: Demo, probes: tuple[Probe, ...] = PROBES) -> AsyncIterator[Config]:
        """Yield the configuration to start with; `demo` runs in the block when nothing else was found.

        `signature` is then that of the file from before it was read, so that no later change goes unseen.
        """
        self.signature = signature_of(self.place())
        config = from_file(self._option, self._environ, self._overrides)
        if config is not None:
            yield usable(config)
            return
        from ucr.probing import probe_local

        wanted = self._overrides.over(overrides_of(self._environ))
        providers = (*_keyed(self._environ), *await probe_local(probes=probes))
        if providers:
            self._discovered = discovered(providers, wanted)
            yield with_cards(self._discovered, self._environ)
            return
        async with demo() as base_url:
            self._discovered = discovered((demo_provider(base_url),), wanted)
            yield self._discovered


def _keyed(environ: Mapping[str, str]) -> tuple[Provider, ...]:
    try:
        return keyed_providers(environ, credential_file(environ).read())
    except Unusable as error:
        file, _, words = str(error).partition(": ")
        raise ConfigError((Problem(file, "credentials", "", words),)) from None


def demo_provider(base_url: str) -> Provider:
    """Return the built-in demo as a provider like any other."""
    return Provider(DEMO, "openai-chat", base_url, auth="none", default_model=DEMO, models=(DEMO,))


def banner(config: Config, port: int) -> str:
    """Return what the start prints: what was found, and how Claude Code is pointed at it."""
    url = config.server.url(port)
    lines = [f"ucr-trio serves {url}  (configuration: {config.source})"]
    lines += [f"  warning: {warning}" for warning in config.warnings]
    for provider in config.providers:
        state = "" if provider.enabled else ", disabled"
        model = provider.default_model or "the model asked for"
        lines.append(f"  provider {provider.id}: {provider.dialect}, {model}{state}")
    if any(provider.id == DEMO for provider in config.providers):
        lines.append("  no key and no local server was found: the demo answers; see docs/getting-started.md")
    key = "your client key" if config.clients else "anything"
    lines += [
        "point Claude Code at it:",
        f"  export ANTHROPIC_BASE_URL={url}",
        f'  export ANTHROPIC_AUTH_TOKEN="{key}"',
    ]
    return "\n".join(lines)
