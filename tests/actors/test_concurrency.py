import heapq
import random

from actors.concurrency import INITIAL, AdaptiveLimit


class SimulatedUpstream:
    """Serves `capacity` calls at once, each in `service_s` give or take a fifth; the others wait in it.

    There is always more work than the limit lets through. Time is simulated: no clock is read.
    """

    def __init__(self, limit: AdaptiveLimit, capacity: int, service_s: float = 0.5) -> None:
        self.limit = limit
        self.capacity = capacity
        self.service_s = service_s
        self.now = 0.0
        self._dice = random.Random(7)
        self._servers = [0.0] * capacity
        self._running: list[tuple[float, float]] = []

    def run(self, calls: int) -> list[int]:
        """Make so many calls; return the limit after each."""
        limits = []
        for _ in range(calls):
            while len(self._running) < self.limit.limit:
                self._begin()
            self.now, began = heapq.heappop(self._running)
            self.limit.answered(self.now - began, len(self._running) + 1)
            limits.append(self.limit.limit)
        return limits

    def set_capacity(self, capacity: int) -> None:
        self._servers = sorted(self._servers)[:capacity] + [self.now] * (capacity - self.capacity)
        self.capacity = capacity

    def _begin(self) -> None:
        server = self._servers.index(min(self._servers))
        ends = max(self.now, self._servers[server]) + self.service_s * self._dice.uniform(0.8, 1.2)
        self._servers[server] = ends
        heapq.heappush(self._running, (ends, self.now))


def settled(limits: list[int]) -> float:
    last = limits[len(limits) // 2 :]
    return sum(last) / len(last)


def test_it_comes_near_the_capacity_of_the_upstream_from_below() -> None:
    limits = SimulatedUpstream(AdaptiveLimit(500), capacity=60).run(20_000)
    assert 60 <= settled(limits) <= 100
    assert max(limits) <= 120


def test_it_comes_down_when_the_upstream_becomes_smaller() -> None:
    upstream = SimulatedUpstream(AdaptiveLimit(500), capacity=60)
    upstream.run(10_000)
    upstream.set_capacity(20)
    limits = upstream.run(20_000)
    assert 15 <= settled(limits) <= 40


def test_it_backs_off_when_first_bytes_come_later() -> None:
    limit = AdaptiveLimit(100)
    for _ in range(INITIAL):
        limit.answered(1.0, 20)
    assert limit.limit == INITIAL + 1
    for _ in range(INITIAL + 1):
        limit.answered(1.6, 20)
    assert limit.limit == int((INITIAL + 1) * 0.9)


def test_failures_lower_it_once_in_a_round() -> None:
    limit = AdaptiveLimit(100)
    limit.failed()
    limit.failed()
    assert limit.limit == 18
    for _ in range(18):
        limit.answered(1.0, 18)
    assert limit.limit == 18
    limit.failed()
    assert limit.limit == 16


def test_it_never_falls_below_one() -> None:
    limit, seen = AdaptiveLimit(100), []
    for _ in range(200):
        limit.failed()
        seen.append(limit.limit)
        for _ in range(20):
            limit.answered(1.0, 1)
    assert min(seen) == 1


def test_it_comes_back_after_a_bad_time() -> None:
    limit = AdaptiveLimit(100, initial=1)
    for _ in range(200):
        limit.answered(1.0, limit.limit)
    assert limit.limit > 10


def test_a_limit_that_nobody_uses_does_not_grow() -> None:
    limit = AdaptiveLimit(100)
    for _ in range(900):
        limit.answered(1.0, 3)
    assert limit.limit == INITIAL


def test_it_stays_within_the_most_that_is_set() -> None:
    limit = AdaptiveLimit(5)
    assert limit.limit == 5
    limit.reconfigure(3)
    assert repr(limit) == "<AdaptiveLimit 3>"
    for _ in range(100):
        limit.answered(1.0, 3)
    assert limit.limit == 3
