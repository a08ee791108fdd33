"""What may stand behind a cache: slower, larger, and there after a restart, or for other machines.

A cache asks its backing for what it does not have itself, and writes behind what it stores. Whoever implements it
fails open: a backing that is slow, full or gone holds nothing, and raises nothing but `trio.Cancelled`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Backed:
    """An entry that was put there `age_s` seconds ago, with the tags that it was put there with."""

    entry: bytes
    age_s: float
    tags: tuple[str, ...] = ()


class Backing(Protocol):
    """Keys are digests of 32 bytes. Several calls may run at once, and each may be cancelled at any time."""

    async def get(self, key: bytes) -> Backed | None:
        """Return what is under the key; None when nothing is, or when it does not come soon.

        The cache waits for `CacheSpec.backing_s` at most, and then cancels the call.
        """
        ...

    async def put(self, key: bytes, entry: bytes, ttl_s: float, tags: tuple[str, ...]) -> None:
        """Keep an entry for `ttl_s`, or count that it could not be kept.

        Tags are printable texts, without secrets. What calls that run at once hold is bounded by
        `CacheSpec.writing_bytes`.
        """
        ...

    async def clear(self, tag: str | None) -> int:
        """Forget the entries that have this tag, None: all; return how many it were, 0 where nobody knows."""
        ...

    def statistics(self) -> Mapping[str, int]:
        """Return what was counted so far, as `GET /cache/stats` shows it."""
        ...
