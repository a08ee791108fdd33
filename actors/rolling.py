"""Counts over a rolling window of time, kept in a few buckets. Pure: the clock is an argument."""

from collections import deque


class Rolling:
    """How often each of `kinds` things happened in the last `window_s` seconds, to the width of one bucket."""

    def __init__(self, window_s: float, *, buckets: int = 10, kinds: int = 1) -> None:
        self._width_s = window_s / buckets
        self._buckets = buckets
        self._kinds = kinds
        self._counts: deque[tuple[int, list[int]]] = deque()
        self._totals = [0] * kinds

    def __repr__(self) -> str:
        return f"<Rolling {self._totals}>"

    def add(self, now: float, kind: int = 0) -> None:
        """Count one more."""
        index = self._forget(now)
        if not self._counts or self._counts[-1][0] < index:
            self._counts.append((index, [0] * self._kinds))
        self._counts[-1][1][kind] += 1
        self._totals[kind] += 1

    def totals(self, now: float) -> tuple[int, ...]:
        """Return the count of each kind."""
        self._forget(now)
        return tuple(self._totals)

    def clear(self) -> None:
        """Begin again with nothing."""
        self._counts.clear()
        self._totals = [0] * self._kinds

    def _forget(self, now: float) -> int:
        index = int(now // self._width_s)
        while self._counts and self._counts[0][0] <= index - self._buckets:
            _, gone = self._counts.popleft()
            self._totals = [total - count for total, count in zip(self._totals, gone, strict=True)]
        return index
