"""The keys of `[cache]` that say what stands behind the cache in memory, and how they go together."""

from collections.abc import Mapping
from dataclasses import dataclass

from actors.redis_address import RedisAddress
from ucr.access import is_link_local
from ucr.config.field import Field
from ucr.config.kinds import Choice, Key, Schema, Text, Wrong
from ucr.config.model import Cache
from ucr.config.reading import Reading

LEAST_SECRET, MOST_SECRET = 16, 1024
"""Characters of a shared secret: with fewer, whoever sees the keys in Redis can try them all."""
_URL_LIMIT = 2048


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """Where a Redis or Valkey server is; the URL may hold a user and a password, so that it is never shown."""

    is_secret: bool = True

    @property
    def word(self) -> str:
        return "URL"

    def read(self, value: object) -> RedisAddress:
        if not isinstance(value, str) or len(value) > _URL_LIMIT:
            raise Wrong("must be a URL such as redis://cache.example.com:6379/0")
        try:
            address = RedisAddress.of(value)
        except ValueError as error:
            raise Wrong(f"must be a URL such as redis://cache.example.com:6379/0: {error}") from None
        if is_link_local(address.host):
            raise Wrong("link-local and metadata addresses are never asked")
        return address

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"^(rediss?|unix)://|\$\{"}


BACKING = (
    Field(
        "backend",
        Choice(("memory", "redis")),
        Cache().backend,
        "What answers are kept in behind each machine's memory: nothing else, or Redis or Valkey, for all machines.",
    ),
    Field(
        "url",
        RedisUrl(),
        "(none)",
        "Where Redis is: `redis(s)://user:key@host:port/database` or `unix:///path`.",
    ),
    Field(
        "secret",
        Key(),
        "(made at the start)",
        f"Secret of at least {LEAST_SECRET} characters, the same on all machines that share answers in Redis.",
    ),
    Field(
        "path",
        Text(r"[^\0]{1,4096}", "a file's path"),
        "(none)",
        "SQLite file in which answers outlive a restart; without Redis only.",
    ),
)


def check_backing(reading: Reading, table: Mapping[str, object], cache: Cache) -> None:
    """Note what does not go together in `[cache]`."""
    if cache.secret is not None and not LEAST_SECRET <= len(cache.secret.reveal()) <= MOST_SECRET:
        reading.problem("cache.secret", None, f"must have from {LEAST_SECRET} to {MOST_SECRET} characters")
    if cache.backend != "redis":
        if cache.url is not None:
            reading.problem(
                "cache.url", None, 'has no effect without cache.backend = "redis"; write it, or take this out'
            )
        return
    if "url" not in table:
        reading.problem(
            "cache.url", None, 'is missing; Redis needs one such as "redis://cache.example.com:6379/0"'
        )
    if cache.secret is None and not any(problem.key == "cache.secret" for problem in reading.problems):
        remedy = (
            "is missing or empty; machines that share answers need the same secret, such as ${UCR_CACHE_SECRET}"
        )
        reading.problem("cache.secret", None, remedy)
    if cache.path is not None:
        reading.problem(
            "cache.path", cache.path, 'stands beside cache.backend = "redis", which keeps answers itself'
        )
