"""From a command line to a configuration: the file when there is one, else what can be found."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from ucr.config.load import load
from ucr.config.model import Config, Provider
from ucr.config.overrides import Overrides, overrides_of
from ucr.config.places import config_place
from ucr.demo import open_demo
from ucr.discovery import PROBES, Probe, discovered, keyed_providers
from ucr.errors import ConfigError, Problem
from ucr.probing import probe_local

DEMO = "demo"


def from_file(option: str | None, environ: Mapping[str, str], overrides: Overrides) -> Config | None:
    """Return the configuration of the file that is found, or None without one; raise `ConfigError`."""
    wanted = overrides.over(overrides_of(environ))
    place = config_place(option, environ, lambda path: Path(path).is_file())
    if place is None:
        return None
    try:
        text = Path(place).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError((Problem(place, "file", "", f"cannot be read: {error}"),)) from None
    return load(text, place, environ, wanted)


@asynccontextmanager
async def starting(
    option: str | None,
    environ: Mapping[str, str],
    overrides: Overrides,
    probes: tuple[Probe, ...] = PROBES,
) -> AsyncIterator[Config]:
    """Yield the configuration to serve; the demo provider runs in the block when nothing else was found."""
    config = from_file(option, environ, overrides)
    if config is not None:
        yield config
        return
    wanted = overrides.over(overrides_of(environ))
    providers = (*keyed_providers(environ), *await probe_local(probes=probes))
    if providers:
        yield discovered(providers, wanted)
        return
    async with open_demo() as base_url:
        yield discovered((demo_provider(base_url),), wanted)


def demo_provider(base_url: str) -> Provider:
    """Return the built-in demo as a provider like any other."""
    return Provider(DEMO, "openai-chat", base_url, auth="none", default_model=DEMO, models=(DEMO,))


def banner(config: Config, port: int) -> str:
    """Return what the start prints: what was found, and how Claude Code is pointed at it."""
    host = "127.0.0.1" if config.server.host in ("0.0.0.0", "::") else config.server.host
    shown = f"[{host}]" if ":" in host else host
    lines = [f"ucr-trio serves http://{shown}:{port}  (configuration: {config.source})"]
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
        f"  export ANTHROPIC_BASE_URL=http://{shown}:{port}",
        f'  export ANTHROPIC_AUTH_TOKEN="{key}"',
    ]
    return "\n".join(lines)
