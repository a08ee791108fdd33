"""A sliding window: how much of something happened in the last minute.

How this works. Time is cut into slots of a second. An amount is counted in the slot in which it was taken and
leaves 61 slots later: the slot that has only begun counts beside the 60 whole ones, so that no minute,
wherever it begins, holds more than the window said. The price is that a steady taker gets 60/61 of its limit.
A bucket of tokens would let twice its size through in one minute. Pure: the clock is an argument.
"""

import math
from collections import deque

SLOTS = 60
SLOT_S = 1.0

Ages = tuple[tuple[int, int], ...]
"""Amounts by their age in whole slots, the oldest first: the form in which a window goes to another clock."""


class Window:
    """`now` never goes back between calls."""

    __slots__ = ("_slot_s", "_slots", "_span", "_total")

    def __init__(self, *, slots: int = SLOTS, slot_s: float = SLOT_S) -> None:
        self._span = slots + 1
        self._slot_s = slot_s
        self._slots: deque[tuple[int, int]] = deque()
        self._total = 0

    def __repr__(self) -> str:
        return f"<Window {self._total} in {len(self._slots)} slots>"

    def used(self, now: float) -> int:
        """Return what was taken in the last minute."""
        oldest = self._slot(now) - self._span
        while self._slots and self._slots[0][0] <= oldest:
            self._total -= self._slots.popleft()[1]
        return self._total

    def add(self, amount: int, now: float) -> None:
        """Count an amount as taken now."""
        self.used(now)
        slot = self._slot(now)
        self._total += amount
        if self._slots and self._slots[-1][0] >= slot:
            last, before = self._slots.pop()
            self._slots.append((last, before + amount))
        else:
            self._slots.append((slot, amount))

    def take_back(self, amount: int, age_s: float, now: float) -> None:
        """Count less for what was taken `age_s` ago; what has left the window by now stays left.

        It is taken from the slot of that time and the two after it, where an account that is settled once a
        second has counted it, and never makes a slot negative.
        """
        self.used(now)
        slot = self._slot(now - age_s)
        for index, (at, held) in enumerate(self._slots):
            if slot <= at <= slot + 2 and amount > 0:
                less = min(amount, held)
                self._slots[index] = (at, held - less)
                self._total -= less
                amount -= less

    def ages(self, now: float) -> Ages:
        """Return what the window holds, for a clock with another zero: an age is never given as too great."""
        self.used(now)
        current = self._slot(now)
        return tuple((max(0, current - at - 1), amount) for at, amount in self._slots if amount)

    def restore(self, ages: Ages, now: float) -> None:
        """Hold what `ages` says, and nothing else."""
        self._slots.clear()
        self._total = 0
        for age, amount in ages:
            self._add_slot(self._slot(now) - age, amount)

    def _add_slot(self, slot: int, amount: int) -> None:
        """Count an amount in a slot that is not before the last one."""
        self._total += amount
        if self._slots and self._slots[-1][0] == slot:
            self._slots[-1] = (slot, self._slots[-1][1] + amount)
        else:
            self._slots.append((slot, amount))

    def leaving(self, now: float) -> tuple[tuple[float, int], ...]:
        """Return in how many seconds which amounts leave, the first to leave first."""
        self.used(now)
        return tuple(((at + self._span) * self._slot_s - now, amount) for at, amount in self._slots)

    def _slot(self, now: float) -> int:
        return math.floor(now / self._slot_s)
