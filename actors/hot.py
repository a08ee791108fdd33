"""The hot tier of a cache: a few values of this process, at hand without asking anybody.

How this works. A value that is used stays: it goes when nobody has wanted it for `idle_s`, and in any case when its
own time is up. So the order of use is the order in which values grow idle, and one ordered dictionary is enough; a
`TTLCache`, whose values age from when they were put there, would need a second one. What was taken from a slower
tier before a `clear` must not be put here after it: whoever asks that tier notes the `epoch` before.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Generic, TypeVar

VALUE_OVERHEAD_BYTES = 1000
"""What a value takes beside its bytes: the key, the object, its names, and the node of the dictionary, roughly."""

Value = TypeVar("Value")


@dataclass(slots=True)
class _Numbers:
    hits: int = 0
    misses: int = 0
    evicted: int = 0


@dataclass(frozen=True, slots=True)
class HotStatistics:
    """`evicted` counts the values that had to go for others."""

    entries: int
    bytes: int
    hits: int
    misses: int
    evicted: int


@dataclass(slots=True)
class _Place(Generic[Value]):
    value: Value
    size_bytes: int
    until: float
    idle_at: float
    tags: tuple[str, ...]


class Hot(Generic[Value]):
    """Values by key. With `max_entries` 0 it keeps nothing. Times are seconds of `clock`."""

    def __init__(self, idle_s: float, max_entries: int, max_bytes: int, clock: Callable[[], float]) -> None:
        self._idle_s = idle_s
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._clock = clock
        self._places: OrderedDict[bytes, _Place[Value]] = OrderedDict()
        self._size_bytes = 0
        self._numbers = _Numbers()
        self.epoch = 0

    def __repr__(self) -> str:
        return f"<Hot {len(self._places)}/{self._max_entries} values, {self._size_bytes} bytes>"

    def get(self, key: bytes) -> Value | None:
        """Return a value and keep it for longer; None when it is not here, or is too old."""
        value = self.find(key)
        if value is None:
            self._numbers.misses += 1
        return value

    def find(self, key: bytes) -> Value | None:
        """Do as `get` does, for somebody who asks again where he finds nothing: that is not counted."""
        place = self._places.get(key)
        if place is None:
            return None
        now = self._clock()
        if place.idle_at <= now or place.until <= now:
            self._remove(key)
            return None
        self._numbers.hits += 1
        place.idle_at = now + self._idle_s
        self._places.move_to_end(key)
        return place.value

    def put(
        self, key: bytes, value: Value, size_bytes: int, until: float, epoch: int, tags: tuple[str, ...] = ()
    ) -> None:
        """Keep a value until then, if it fits and nothing was cleared since this epoch."""
        size_bytes += VALUE_OVERHEAD_BYTES
        if epoch != self.epoch or size_bytes > self._max_bytes or not self._max_entries:
            return
        now = self._clock()
        self.drop(key)
        self._expire(now)
        while len(self._places) >= self._max_entries or self._size_bytes + size_bytes > self._max_bytes:
            self._remove(next(iter(self._places)))
            self._numbers.evicted += 1
        self._places[key] = _Place(value, size_bytes, until, now + self._idle_s, tags)
        self._size_bytes += size_bytes

    def drop(self, key: bytes) -> None:
        """Let one value go, if it is here."""
        if key in self._places:
            self._remove(key)

    def clear(self, tag: str | None = None) -> int:
        """Let the values go that have a tag, or all, and begin another epoch; return how many it were."""
        self.epoch += 1
        self._expire(self._clock())
        chosen = [key for key, place in self._places.items() if tag is None or tag in place.tags]
        for key in chosen:
            self._remove(key)
        return len(chosen)

    def statistics(self) -> HotStatistics:
        """Return the sizes of now and the counts since it was made."""
        self._expire(self._clock())
        return HotStatistics(len(self._places), self._size_bytes, **asdict(self._numbers))

    def _expire(self, now: float) -> None:
        """Let go what nobody has wanted for too long. Who is used until his own time is up, goes at his next use."""
        while self._places:
            key, place = next(iter(self._places.items()))
            if place.idle_at > now:
                return
            self._remove(key)

    def _remove(self, key: bytes) -> None:
        self._size_bytes -= self._places.pop(key).size_bytes
