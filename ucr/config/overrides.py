"""What the environment and the command line say over the file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ucr.access import digest, is_loopback
from ucr.config.fields import LEVELS
from ucr.config.interpolate import Filled
from ucr.config.kinds import Wrong
from ucr.config.model import Client, Config
from ucr.config.server_fields import PORT
from ucr.errors import ConfigError, Problem
from ucr.secret import Secret


@dataclass(frozen=True, slots=True)
class Overrides:
    """Values that go before those of the file; None leaves the file's."""

    host: str | None = None
    port: int | None = None
    log_level: str | None = None
    client_key: Secret | None = None
    workers: int | None = None

    def over(self, other: "Overrides") -> "Overrides":
        """Return these with their gaps filled from others: the command line goes over the environment."""
        return Overrides(
            other.host if self.host is None else self.host,
            other.port if self.port is None else self.port,
            other.log_level if self.log_level is None else self.log_level,
            other.client_key if self.client_key is None else self.client_key,
            other.workers if self.workers is None else self.workers,
        )


def overrides_of(environ: Mapping[str, str]) -> Overrides:
    """Read UCR_HOST, UCR_PORT, UCR_LOG_LEVEL and UCR_CLIENT_KEY; raise `ConfigError` for a wrong value."""
    problems: list[Problem] = []
    key = environ.get("UCR_CLIENT_KEY", "").strip()
    overrides = Overrides(
        host=environ.get("UCR_HOST") or None,
        port=_port(environ.get("UCR_PORT", ""), problems),
        log_level=_level(environ.get("UCR_LOG_LEVEL", ""), problems),
        client_key=Secret(key) if key else None,
    )
    if problems:
        raise ConfigError(tuple(problems))
    return overrides


def _port(text: str, problems: list[Problem]) -> int | None:
    if not text:
        return None
    try:
        return int(PORT.read(Filled(text)))
    except Wrong as wrong:
        problems.append(Problem("environment", "UCR_PORT", text[:60], str(wrong)))
        return None


def _level(text: str, problems: list[Problem]) -> str | None:
    level = {"warn": "warning"}.get(text.lower(), text.lower())
    if level and level not in LEVELS:
        problems.append(
            Problem("environment", "UCR_LOG_LEVEL", text[:60], f"must be one of {', '.join(LEVELS)}")
        )
        return None
    return level or None


def apply(config: Config, overrides: Overrides) -> Config:
    """Return the configuration with the overrides in it; raise `ConfigError` if it may not be served so."""
    changed = replace(
        config,
        server=replace(
            config.server,
            host=config.server.host if overrides.host is None else overrides.host,
            port=config.server.port if overrides.port is None else overrides.port,
            workers=config.server.workers if overrides.workers is None else overrides.workers,
        ),
        logging=replace(config.logging, level=overrides.log_level or config.logging.level),
    )
    if overrides.client_key is not None:
        client = Client("environment", digest(overrides.client_key.reveal()))
        secrets = (*changed.secrets, overrides.client_key)
        changed = replace(changed, clients=(*changed.clients, client), secrets=secrets)
    _check_bind(changed)
    return changed


def _check_bind(config: Config) -> None:
    host = config.server.host
    if config.clients or is_loopback(host):
        return
    remedy = "others can reach this address, so a client key is needed: set [[clients]] or UCR_CLIENT_KEY"
    raise ConfigError((Problem(config.source, "server.host", host[:60], remedy),))
