"""What the store process is told when it starts, and what a worker is told of it. Pure data that travels."""

from dataclasses import dataclass, field

from ucr.config.model import Cache, Config, Journal, State

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class StoreSpec:
    """`generation` counts the stores of one parent; `awaited` workers knew the one before this.

    In `folder` the accounts and the journal are kept; None keeps them nowhere.
    """

    generation: int = 1
    awaited: int = 0
    log_level: str = "info"
    ttl_s: float = 300.0
    max_entries: int = 500
    max_bytes: int = 52_428_800
    fill_s: float = 3600.0
    cache: Cache = Cache()
    folder: str | None = None
    keep_s: float = 7_776_000.0
    usage_bytes: int = 67_108_864
    state: State = State()
    journal: Journal = Journal()


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """`path` is that of the Unix socket. `secret` keys the digests under which all workers find answers."""

    path: str
    workers: int
    secret: bytes = field(repr=False)


def store_spec(config: Config, generation: int, awaited: int, folder: str | None = None) -> StoreSpec:
    """Return what a store is told under this configuration; it keeps its accounts in the folder."""
    cache = config.cache
    return StoreSpec(
        generation,
        awaited,
        config.logging.level,
        cache.ttl_s,
        cache.max_entries,
        cache.max_bytes,
        config.timeouts.total_s,
        cache,
        folder,
        config.usage.keep_days * DAY_S,
        config.usage.max_bytes,
        config.state,
        config.journal,
    )
