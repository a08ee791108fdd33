from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from actors.hot import VALUE_OVERHEAD_BYTES, Hot, HotStatistics


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def hot(clock: Clock | None = None, **changes: Any) -> Hot[str]:
    told: dict[str, Any] = {"idle_s": 10.0, "max_entries": 3, "max_bytes": 10**6, "clock": clock or Clock()}
    return Hot(**{**told, **changes})


def test_a_value_stays_as_long_as_it_is_wanted_and_no_longer_than_its_own_time() -> None:
    clock = Clock()
    kept = hot(clock)
    kept.put(b"k", "v", 5, until=125.0, epoch=0)
    for _ in range(3):
        clock.now += 8
        assert kept.get(b"k") == "v"
    clock.now = 125.0
    assert kept.get(b"k") is None
    kept.put(b"k", "v", 5, until=1000.0, epoch=0)
    clock.now += 10
    assert kept.get(b"k") is None
    assert kept.statistics() == HotStatistics(0, 0, 3, 2, 0)


def test_who_asks_again_where_nothing_is_found_counts_hits_alone() -> None:
    clock = Clock()
    kept = hot(clock)
    kept.put(b"k", "v", 5, until=125.0, epoch=0)
    assert (kept.find(b"k"), kept.find(b"other")) == ("v", None)
    assert kept.statistics() == HotStatistics(1, 5 + VALUE_OVERHEAD_BYTES, 1, 0, 0)
    clock.now = 125.0
    assert kept.find(b"k") is None
    assert kept.statistics() == HotStatistics(0, 0, 1, 0, 0)


def test_it_is_bounded_by_values_and_by_bytes() -> None:
    kept = hot(max_bytes=3 * VALUE_OVERHEAD_BYTES)
    for key in (b"a", b"b", b"c", b"d"):
        kept.put(key, "v", 0, 1000.0, 0)
        kept.get(b"a")
    assert [kept.get(key) for key in (b"a", b"b", b"c", b"d")] == ["v", None, "v", "v"]
    kept.put(b"e", "large", 2 * VALUE_OVERHEAD_BYTES, 1000.0, 0)
    kept.put(b"f", "too large", 2 * VALUE_OVERHEAD_BYTES + 1, 1000.0, 0)
    seen = kept.statistics()
    assert (seen.entries, seen.bytes, seen.evicted) == (1, 3 * VALUE_OVERHEAD_BYTES, 4)
    assert repr(kept) == f"<Hot 1/3 values, {seen.bytes} bytes>"


def test_without_room_for_a_value_nothing_is_kept() -> None:
    kept = hot(max_entries=0)
    kept.put(b"k", "v", 5, 1000.0, 0)
    assert kept.get(b"k") is None


def test_what_was_found_before_a_clear_is_not_put_here_after_it() -> None:
    kept = hot()
    epoch = kept.epoch
    kept.put(b"k", "old", 5, 1000.0, epoch)
    assert kept.clear() == 1
    kept.put(b"k", "old", 5, 1000.0, epoch)
    assert kept.get(b"k") is None
    kept.put(b"k", "new", 5, 1000.0, kept.epoch)
    assert kept.get(b"k") == "new"


def test_values_are_let_go_by_key_or_by_tag() -> None:
    kept = hot()
    kept.put(b"a", "1", 5, 1000.0, 0, ("x",))
    kept.put(b"b", "2", 5, 1000.0, 0, ("x", "y"))
    kept.put(b"c", "3", 5, 1000.0, 0)
    kept.drop(b"c")
    kept.drop(b"nobody's")
    assert kept.clear("y") == 1
    assert [kept.get(key) for key in (b"a", b"b", b"c")] == ["1", None, None]


class Tier(RuleBasedStateMachine):
    """The tier against a list that is looked through from end to end."""

    keys = st.sampled_from([b"a", b"b", b"c", b"d", b"e"])

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.hot = hot(self.clock, max_bytes=3 * VALUE_OVERHEAD_BYTES + 200)
        self.model: list[tuple[bytes, str, int, float, float, str]] = []

    def live(self) -> list[tuple[bytes, str, int, float, float, str]]:
        return [one for one in self.model if one[3] > self.clock.now and one[4] > self.clock.now]

    @rule(key=keys, size=st.integers(0, 300), lasts_s=st.integers(1, 40), tag=st.sampled_from("xy"))
    def put(self, key: bytes, size: int, lasts_s: int, tag: str) -> None:
        value, until = f"{key!r} {size}", self.clock.now + lasts_s
        self.hot.put(key, value, size, until, self.hot.epoch, (tag,))
        if size > 2 * VALUE_OVERHEAD_BYTES + 200:
            return
        self.model = [one for one in self.model if one[0] != key and one[4] > self.clock.now]
        while (
            len(self.model) >= 3 or self.size() + size + VALUE_OVERHEAD_BYTES > 3 * VALUE_OVERHEAD_BYTES + 200
        ):
            self.model.pop(0)
        self.model.append((key, value, size, until, self.clock.now + 10, tag))

    @rule(key=keys)
    def get(self, key: bytes) -> None:
        found = next((one for one in self.live() if one[0] == key), None)
        assert self.hot.get(key) == (None if found is None else found[1])
        self.model = [one for one in self.model if one[0] != key]
        if found is not None:
            self.model.append((*found[:4], self.clock.now + 10, found[5]))

    @rule(seconds=st.integers(1, 12))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule(key=keys)
    def drop(self, key: bytes) -> None:
        self.hot.drop(key)
        self.model = [one for one in self.model if one[0] != key]

    @rule(tag=st.sampled_from([None, "x", "y"]))
    def clear(self, tag: str | None) -> None:
        self.hot.clear(tag)
        self.model = [one for one in self.model if tag is not None and one[5] != tag]

    def size(self) -> int:
        return sum(one[2] + VALUE_OVERHEAD_BYTES for one in self.model)

    @invariant()
    def it_holds_what_the_list_holds(self) -> None:
        self.model = [one for one in self.model if one[4] > self.clock.now]
        seen = self.hot.statistics()
        assert (seen.entries, seen.bytes) == (len(self.model), self.size())
        assert seen.bytes <= 3 * VALUE_OVERHEAD_BYTES + 200


TestTier = Tier.TestCase
TestTier.settings = settings(max_examples=40, stateful_step_count=30)
