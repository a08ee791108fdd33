"""Counts over a rolling window of time, kept in a few buckets. Pure: the clock is an argument.

Counting costs the same however much was counted, and old buckets are looked at only when a new one begins.
"""

import math
from collections import deque


class Rolling:
    """How often each of `kinds` things happened in the last `window_s` seconds, to the width of one bucket."""

    def __init__(self, window_s: float, *, buckets: int = 10, kinds: int = 1) -> None:
        self._width_s = window_s / buckets
        self._buckets = buckets
        self._kinds = kinds
        self.clear()

    def __repr__(self) -> str:
        return f"<Rolling {self._totals}>"

    def add(self, now: float, kind: int = 0) -> None:
        """Count one more."""
        index = now // self._width_s
        if index > self._index:
            self._begin(index)
        self._newest[kind] += 1
        self._totals[kind] += 1

    def totals(self, now: float) -> tuple[int, ...]:
        """Return the count of each kind."""
        self._forget(now // self._width_s)
        return tuple(self._totals)

    def clear(self) -> None:
        """Begin again with nothing."""
        self._counts: deque[tuple[float, list[int]]] = deque()
        self._totals = [0] * self._kinds
        self._index = -math.inf
        self._newest: list[int] = []

    def _begin(self, index: float) -> None:
        self._forget(index)
        self._index, self._newest = index, [0] * self._kinds
        self._counts.append((index, self._newest))

    def _forget(self, index: float) -> None:
        while self._counts and self._counts[0][0] <= index - self._buckets:
            _, gone = self._counts.popleft()
            self._totals = [total - count for total, count in zip(self._totals, gone, strict=True)]
            if not self._counts:
                self._index = -math.inf
