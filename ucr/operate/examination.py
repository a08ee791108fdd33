"""The whole examination: this machine, the router as a client sees it, and each provider as the router does."""

import resource
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path

import httpx
import trio

from actors import Network
from ucr.asking import default_url, open_client
from ucr.config.model import Config, Provider
from ucr.config.overrides import Overrides
from ucr.errors import ConfigError
from ucr.logs import make_log
from ucr.operate import surveys
from ucr.operate.answering import state_of
from ucr.operate.contact import contacted
from ucr.operate.finding import Finding
from ucr.operate.reaching import configuration
from ucr.operate.seat import Running, Seat
from ucr.operate.surroundings import NoToken, client_token
from ucr.starting import from_file, usable

Clock = Callable[[], float]


def read_configuration(option: str | None, environ: Mapping[str, str]) -> Config | ConfigError:
    """Return the configuration with everything checked that the start checks, or what is wrong with it."""
    try:
        found = from_file(option, environ, Overrides())
        if found is None:
            return configuration(option, environ)
        return usable(found)
    except ConfigError as error:
        return error


async def examined(
    found: Config | ConfigError,
    option: str | None,
    environ: Mapping[str, str],
    network: Network,
    unix_time: Clock,
) -> list[Finding]:
    """Return everything that is found, from the nearest to the farthest."""
    seat = Seat(environ)
    config = found if isinstance(found, Config) else None
    running = seat.running()
    url, _ = default_url(option, environ)
    url = url if running is None else running.url
    findings = [
        *surveys.of_configuration(found),
        *surveys.of_permissions(config, seat.folder),
        surveys.of_limits(resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
        *await _of_router(url, option, environ, config),
        *of_another(running, config),
        *surveys.of_claude_code(environ, url),
    ]
    if config is None:
        return findings
    log = make_log("critical", (), (), partial(datetime.fromtimestamp, unix_time()))
    rest = (await surveys.of_redis(config, network), await surveys.of_custom_router(config, log))
    findings += [finding for finding in rest if finding is not None]
    return [*findings, *await of_providers(config.providers, network, unix_time)]


def of_another(running: Running | None, config: Config | None) -> Iterator[Finding]:
    """Say that the router in the background is not the one of this configuration, where that is so."""
    if running is None or config is None or config.source == Config().source:
        return
    if running.config is None or Path(running.config).resolve() != Path(config.source).resolve():
        words = f"the one in the background serves {running.config or 'what it has found itself'}, not {config.source}"
        yield Finding("router", "warning", words, f"ucr-trio stop; ucr-trio start --config {config.source}")
    if running.url != config.server.url():
        yield surveys.of_port(config.server.host, config.server.port)


async def of_providers(providers: tuple[Provider, ...], network: Network, unix_time: Clock) -> list[Finding]:
    """Ask all providers at once; return what is found of each, in their order."""
    found: dict[str, tuple[Finding, ...]] = {}

    async def ask(provider: Provider) -> None:
        found[provider.id] = (await contacted(provider, network, unix_time)).findings

    async with trio.open_nursery() as nursery:
        for provider in providers:
            if provider.enabled:
                nursery.start_soon(ask, provider)
            else:
                found[provider.id] = (Finding(f"provider {provider.id}", "ok", "is not enabled"),)
    return list(dict.fromkeys(chain.from_iterable(found[provider.id] for provider in providers)))


async def _of_router(
    url: str, option: str | None, environ: Mapping[str, str], config: Config | None
) -> list[Finding]:
    """Say whether a client of this machine gets an answer from the router, with the key that it would show."""
    trust = default_url(option, environ)[1]
    state = await state_of(url, trust)
    if state == "draining":
        return [Finding("router", "warning", f"the router at {url} is ending", "ucr-trio start, when it has")]
    if state != "ready":
        start = Finding("router", "warning", "no router runs", "ucr-trio start")
        server = config.server if config is not None else None
        port = surveys.of_port(server.host, server.port) if server is not None else None
        return [found for found in (start, port) if found is not None]
    token = "ucr"
    with suppress(NoToken):
        token = token if config is None else client_token(config, environ)
    async with open_client(url, token, trust) as client:
        try:
            answer = await client.get("/v1/models")
            models = len(answer.json().get("data", ())) if answer.status_code == 200 else 0
        except (httpx.HTTPError, ValueError, AttributeError) as error:
            words = f"the router at {url} does not list its models: {str(error) or type(error).__name__}"
            return [Finding("router", "failed", words, "look at its log: ucr-trio status")]
    if answer.status_code != 200:
        words = f"the router at {url} answers a client with {answer.status_code}"
        return [Finding("router", "failed", words, "set UCR_CLIENT_KEY to the key of one of [[clients]]")]
    return [Finding("router", "ok", f"a client is answered at {url}, {models} models")]
