"""What a changed configuration asks of a running router: decided before anything is done.

Most of a configuration is read anew by every request, and changes when the next request sees it. A provider has
something that lives (connections, permits); what a worker takes at its start needs a new worker, and an address
needs new sockets.
"""

from dataclasses import dataclass, fields, replace

from ucr.config.model import Config, Provider, Server

LIVE = frozenset(
    {
        "providers",
        "models",
        "router",
        "clients",
        "prices",
        "admin_key_sha256",
        "timeouts",
        "logging",
        "source",
        "warnings",
        "secrets",
    }
)
"""Parts of the configuration that requests read anew. One that is not named here needs new workers."""

LIVE_SERVER = frozenset({"grace_s", "allowed_hosts", "allowed_origins"})
PARENT_SERVER = frozenset({"host", "port", "workers"})
"""Keys of `[server]` that are the parent's business: where it listens, and how many workers it has."""

LIVE_PROVIDER = frozenset(
    {
        "auth",
        "default_model",
        "models",
        "models_path",
        "priority",
        "headers",
        "timeouts",
        "quirks",
        "sign_in",
        "is_signed_in",
    }
)
"""Fields of a provider that are read with each request; its actor knows nothing of them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`added`, `removed` and `changed` are ids of enabled providers; `restarts` names keys that need new workers.

    `changed` are providers whose actor must learn of the change, or be another.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()
    rebinds: bool = False
    resizes: bool = False


def plan_of(old: Config, new: Config) -> Plan:
    """Return the steps from one configuration to another."""
    before, after = _enabled(old), _enabled(new)
    return Plan(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed=tuple(name for name in after if name in before and differs(before[name], after[name])),
        restarts=_restarts(old, new),
        rebinds=(old.server.host, old.server.port) != (new.server.host, new.server.port),
        resizes=old.server.workers != new.server.workers,
    )


def is_same(old: Config, new: Config) -> bool:
    """Whether a reload would change nothing but where the configuration was read."""
    return replace(old, source="", warnings=()) == replace(new, source="", warnings=())


def differs(old: Provider, new: Provider) -> bool:
    """Whether a provider's actor is concerned by what changed."""
    names = (field.name for field in fields(Provider) if field.name not in LIVE_PROVIDER)
    return any(getattr(old, name) != getattr(new, name) for name in names)


def _enabled(config: Config) -> dict[str, Provider]:
    return {provider.id: provider for provider in config.providers if provider.enabled}


def _restarts(old: Config, new: Config) -> tuple[str, ...]:
    sections = (field.name for field in fields(Config) if field.name not in LIVE | {"server"})
    keys = (field.name for field in fields(Server) if field.name not in LIVE_SERVER | PARENT_SERVER)
    return (
        *(name for name in sections if getattr(old, name) != getattr(new, name)),
        *(f"server.{name}" for name in keys if getattr(old.server, name) != getattr(new.server, name)),
    )
