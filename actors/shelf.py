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

Stored = tuple[bytes, float]


class Shelf:
    """Entries live for `ttl_s`; when there is no room, those that were used least recently go."""

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
        """Return the entry and the time at which it was put here; None when it is gone."""
        stored = self._by_use.get(key)
        if stored is None or stored[1] + self._ttl_s <= self._clock():
            return None
        self._by_use.move_to_end(key)
        return stored

    def put(self, key: bytes, entry: bytes) -> int | None:
        """Put an entry here; return how many had to go for it, or None: it is larger than the whole shelf."""
        size = len(entry) + ENTRY_OVERHEAD_BYTES
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
        self._by_use[key] = (entry, now)
        self._by_age[key] = now
        self._size_bytes += size
        return evicted

    def clear(self) -> int:
        """Empty it; return how many entries it had."""
        entries = len(self)
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
        entry, _ = self._by_use.pop(key)
        del self._by_age[key]
        self._size_bytes -= len(entry) + ENTRY_OVERHEAD_BYTES
