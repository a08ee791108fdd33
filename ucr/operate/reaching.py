"""The router that a command works with, and its configuration: one that runs, else one that is started."""

from collections.abc import Mapping
from pathlib import Path

import trio

from ucr.asking import default_url
from ucr.config.model import Config
from ucr.config.overrides import Overrides, overrides_of
from ucr.discovery import discovered, keyed_providers
from ucr.operate.answering import readiness
from ucr.operate.background import started
from ucr.operate.seat import Seat
from ucr.probing import probe_local
from ucr.starting import from_file


def configuration(option: str | None, environ: Mapping[str, str]) -> Config:
    """Return the configuration of the file that is found; without one, of the providers that are.

    Raise `ConfigError`.
    """
    found = from_file(option, environ, Overrides())
    if found is not None:
        return found
    providers = (*keyed_providers(environ), *trio.run(probe_local))
    return discovered(providers, overrides_of(environ))


def reached(environ: Mapping[str, str]) -> tuple[str, Config]:
    """Return where a router that serves is, and its configuration; one is started when there is none.

    The one in the background comes first, then whoever answers where the configuration says. Raise `NotStarted`,
    `ConfigError`, and `OSError` for a state directory that is no good.
    """
    seat = Seat(environ)
    running = seat.running()
    if running is None:
        url, _ = default_url(None, environ)
        if readiness(url, None, environ) == "ready":
            return url, configuration(None, environ)
        with seat.locked():
            running = seat.running() or started(seat, (), None, environ)
    place = running.config if running.config and Path(running.config).exists() else None
    return running.url, configuration(place, environ)
