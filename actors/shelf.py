"""A shelf: bytes by key, for a while, bounded by their number and by their size.

How this works. Entries stand in two orders: by when they were used last, which says who has to go, and by when they
were put here, which says whose time is over, since all have the same. Both are kept at every step, so that no step
looks at more entries than it takes away. The `TTLCache` of cachetools was tried first: it looks at the clock eight
times for an entry that is put here, and costs several times as much.
"""

from collections import OrderedDict
from collections.abc import Callable

ENTRY_OVERHEAD_BYTES = 400
"""What an entry takes beside its bytes: the key, and the nodes of dictionaries and lists, roughly."""

Stored = tuple[bytes, float, tuple[str, ...]]
"""An entry, the time since when it has been stored, and its tags."""


class Shelf:
    """Entries live for `ttl_s` from when they were stored; when there is no room, those that were used least recently go."""

    def __init__(self, ttl_s: float, max_entries: int, max_bytes: int, clock: Callable[[], float]) -> None:
        self._ttl_s = ttl_s
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._clock = clock
        self._by_use: OrderedDict[bytes, Stored] = OrderedDict()
        self._by_age: OrderedDict[bytes, float] = OrderedDict()
        self._size_bytes = 0

    def __repr__(self) -> str:
        return f"<Shelf {len(self)}/{self._max_entries} entries, {self.size_bytes} bytes>"

    def __len__(self) -> int:
        self._expire(self._clock())
        return len(self._by_use)

    @property
    def size_bytes(self) -> int:
        self._expire(self._clock())
        return self._size_bytes

    def get(self, key: bytes) -> Stored | None:
        """Return the entry, since when it has been stored, and its tags; None when it is gone."""
        stored = self._by_use.get(key)
        if stored is None or stored[1] + self._ttl_s <= self._clock():
            return None
        self._by_use.move_to_end(key)
        return stored

    def put(self, key: bytes, entry: bytes, tags: tuple[str, ...] = (), age_s: float = 0.0) -> int | None:
        """Put an entry here, which was stored somewhere else for `age_s` already.

        Return how many had to go for it, or None: it is larger than the whole shelf.
        """
        stored = (entry, self._clock() - age_s, tags)
        size = _size(stored)
        if size > self._max_bytes:
            return None
        now = self._clock()
        self._expire(now)
        if key in self._by_use:
            self._remove(key)
        evicted = 0
        while len(self._by_use) >= self._max_entries or self._size_bytes + size > self._max_bytes:
            self._remove(next(iter(self._by_use)))
            evicted += 1
        self._by_use[key] = stored
        self._by_age[key] = now
        self._size_bytes += size
        return evicted

    def drop_oldest(self) -> bool:
        """Let the entry go that was used least recently; False when there is none."""
        if not self._by_use:
            return False
        self._remove(next(iter(self._by_use)))
        return True

    def drop(self, key: bytes) -> None:
        """Let one entry go, if it is here."""
        if key in self._by_use:
            self._remove(key)

    def clear(self, tag: str | None = None) -> int:
        """Let the entries go that have a tag, or all; return how many it were."""
        entries = len(self)
        if tag is not None:
            tagged = [key for key, stored in self._by_use.items() if tag in stored[2]]
            for key in tagged:
                self._remove(key)
            return len(tagged)
        self._by_use.clear()
        self._by_age.clear()
        self._size_bytes = 0
        return entries

    def _expire(self, now: float) -> None:
        while self._by_age:
            oldest, since = next(iter(self._by_age.items()))
            if since + self._ttl_s > now:
                break
            self._remove(oldest)

    def _remove(self, key: bytes) -> None:
        del self._by_age[key]
        self._size_bytes -= _size(self._by_use.pop(key))


def _size(stored: Stored) -> int:
    return len(stored[0]) + sum(map(len, stored[2])) + ENTRY_OVERHEAD_BYTES
