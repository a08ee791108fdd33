"""What stands behind the cache of answers under a configuration: Redis, a file, or nothing.

Either is loaded where it is configured, and only there.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from actors import (
    ActorError,
    Cache,
    CacheSpec,
    Clear,
    Network,
    Supervisor,
)
from ucr.cache_secret import secret_of
from ucr.config.model import Cache as CacheConfig
from ucr.logs import Log

if TYPE_CHECKING:
    from actors import RedisBacking, RedisEvent, SqliteBacking, SqliteEvent

BACKING = "ucr:cache-backing"
"""The name of the child that keeps the backing, which no provider can have."""

MOST_ENTRY_BYTES = 8 * 1024 * 1024
"""An answer that is larger is not shared."""

ServedBacking = Union["RedisBacking", "SqliteBacking"]


def backing_of(
    config: CacheConfig, secret: bytes, network: Network, clock: Callable[[], float], log: Log
) -> ServedBacking | None:
    """Return what stands behind the cache; it is to be started before it. `clock` is the one on the wall.

    `secret` counts where nothing leaves the process but by `cache.path` or with a configured secret.
    """
    if not config.enabled:
        return None
    secret = secret_of(config, secret)
    if config.backend == "redis" and config.url is not None:
        from actors import RedisBacking, RedisSpec

        spec = RedisSpec(config.url, secret, max_entry_bytes=min(config.max_bytes, MOST_ENTRY_BYTES))
        return RedisBacking(spec, network, clock, BACKING, on_event=lambda event: _tell_redis(log, event))
    if config.path is not None:
        from actors import SqliteBacking, SqliteSpec

        file = SqliteSpec(Path(config.path), secret, config.max_entries, config.max_bytes)
        return SqliteBacking(file, clock, BACKING, on_event=lambda event: _tell_file(log, event))
    return None


async def start_cache(
    supervisor: Supervisor,
    spec: CacheSpec,
    name: str,
    backing: ServedBacking | None,
    *,
    first_ticket: int = 1,
    on_cleared: Callable[[], object] = lambda: None,
) -> Cache:
    """Start a cache and what stands behind it.

    `on_cleared` is called when another machine has cleared what they share; the cache forgets it by itself.
    """
    if backing is not None:
        await supervisor.start(backing)
    cache = await supervisor.start(Cache(spec, name, first_ticket=first_ticket, backing=backing))
    if backing is not None:

        def forget() -> None:
            on_cleared()
            with suppress(ActorError):
                cache.ref.ask_nowait(Clear(spares_backing=True))

        backing.on_cleared = forget
    return cache


def numbers_of(cache: Cache) -> dict[str, Any]:
    """Return what a backing counts, as part of what its cache says of itself."""
    return {} if cache.backing is None else {"backing": dict(cache.backing.statistics())}


def _tell_redis(log: Log, event: "RedisEvent") -> None:
    if event.name == "connected":
        log.info("cache.connected")
    else:
        log.warning("cache.lost", error=event.error)


def _tell_file(log: Log, event: "SqliteEvent") -> None:
    if event.name == "damaged":
        log.warning("cache.damaged", error=event.error)
    elif event.name == "failed":
        log.warning("cache.failed", error=event.error)
    else:
        log.info("cache.opened")
