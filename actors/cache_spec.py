"""What a cache is told, and what it counts. Pure data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CacheSpec:
    """`fill_s` is how long a fill may take before another asker may try; `max_followers` wait for one at most.

    `max_total` bounds entries and derived values together. A backing has `backing_s` to answer a lookup.
    """

    ttl_s: float = 300.0
    max_entries: int = 500
    max_bytes: int = 50 * 1024 * 1024
    fill_s: float = 120.0
    max_followers: int = 256
    max_total: int = 1000
    derived_ttl_s: float = 600.0
    derived_bytes: int = 1024 * 1024
    backing_s: float = 0.04
    write_s: float = 2.0
    writing_bytes: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    """`busy` counts askers that were sent away from a running fill, `late` stores whose ticket had lapsed.

    `loaded` of the hits and `not_loaded` of the misses were looked for in the backing.
    """

    entries: int
    bytes: int
    filling: int
    waiting: int
    hits: int
    misses: int
    busy: int
    stored: int
    evicted: int
    too_large: int
    forfeited: int
    late: int
    derived: int
    derived_hits: int
    derived_misses: int
    loaded: int
    not_loaded: int
    written: int
    unwritten: int


@dataclass(slots=True)
class CacheNumbers:
    """The counts that survive a crash."""

    hits: int = 0
    misses: int = 0
    busy: int = 0
    stored: int = 0
    evicted: int = 0
    too_large: int = 0
    forfeited: int = 0
    late: int = 0
    derived_hits: int = 0
    derived_misses: int = 0
