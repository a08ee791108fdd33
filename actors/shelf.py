"""A shelf: bytes by key, for a while, bounded by their number and by their size.

`cachetools` has the clockwork; it bounds by one measure only, so that the number of entries is kept here.
"""

from collections.abc import Callable

from cachetools import TTLCache

ENTRY_OVERHEAD_BYTES = 400
"""What an entry takes beside its bytes: the key, and the nodes of dictionaries and lists, roughly."""

Stored = tuple[bytes, float]


class Shelf:
    """Entries live for `ttl_s`; when there is no room, those that were used least recently go."""

    def __init__(self, ttl_s: float, max_entries: int, max_bytes: int, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._max_entries = max_entries
        self._entries: TTLCache[bytes, Stored] = TTLCache(max_bytes, ttl_s, timer=clock, getsizeof=_size)

    def __repr__(self) -> str:
        return f"<Shelf {len(self)}/{self._max_entries} entries, {self.size_bytes} bytes>"

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size_bytes(self) -> int:
        return int(self._entries.currsize)

    def get(self, key: bytes) -> Stored | None:
        """Return the entry and the time at which it was put here; None when it is gone."""
        return self._entries.get(key)

    def put(self, key: bytes, entry: bytes) -> int | None:
        """Put an entry here; return how many had to go for it, or None: it is larger than the whole shelf."""
        value = (entry, self._clock())
        if _size(value) > self._entries.maxsize:
            return None
        self._entries.pop(key, None)
        before = len(self._entries)
        while len(self._entries) >= self._max_entries:
            self._entries.popitem()
        self._entries[key] = value
        return before + 1 - len(self._entries)

    def clear(self) -> int:
        """Empty it; return how many entries it had."""
        entries = len(self._entries)
        self._entries.clear()
        return entries


def _size(value: Stored) -> int:
    return len(value[0]) + ENTRY_OVERHEAD_BYTES
