from hypothesis import given
from hypothesis import strategies as st

from actors.shelf import ENTRY_OVERHEAD_BYTES, Shelf


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_entries_are_found_with_their_time_until_they_are_too_old() -> None:
    clock = Clock()
    shelf = Shelf(10.0, 5, 10_000, clock)
    assert shelf.put(b"k", b"one") == 0
    clock.now = 109.9
    assert shelf.get(b"k") == (b"one", 100.0, ())
    clock.now = 110.0
    assert shelf.get(b"k") is None
    assert (len(shelf), shelf.size_bytes) == (0, 0)


def test_the_entry_that_was_used_least_recently_goes_first() -> None:
    shelf = Shelf(10.0, 2, 10_000, Clock())
    shelf.put(b"a", b"1")
    shelf.put(b"b", b"2")
    shelf.get(b"a")
    assert shelf.put(b"c", b"3") == 1
    assert [shelf.get(key) is not None for key in (b"a", b"b", b"c")] == [True, False, True]


def test_bytes_are_bounded_whatever_the_number_of_entries() -> None:
    room = 3 * (100 + ENTRY_OVERHEAD_BYTES)
    shelf = Shelf(10.0, 1000, room, Clock())
    evicted = [shelf.put(bytes([number]), b"x" * 100) for number in range(5)]
    assert evicted == [0, 0, 0, 1, 1]
    assert shelf.size_bytes == room
    assert shelf.put(b"big", b"x" * (room - 50)) is None
    assert len(shelf) == 3


def test_putting_a_key_again_replaces_its_entry() -> None:
    clock = Clock()
    shelf = Shelf(10.0, 2, 10_000, clock)
    shelf.put(b"a", b"old")
    clock.now = 120.0
    assert shelf.put(b"a", b"new") == 0
    assert shelf.put(b"a", b"newer") == 0
    assert shelf.get(b"a") == (b"newer", 120.0, ())
    assert len(shelf) == 1


def test_clearing_says_how_much_there_was() -> None:
    shelf = Shelf(10.0, 9, 10_000, Clock())
    shelf.put(b"a", b"1")
    shelf.put(b"b", b"2")
    assert repr(shelf) == f"<Shelf 2/9 entries, {2 + 2 * ENTRY_OVERHEAD_BYTES} bytes>"
    assert shelf.clear() == 2
    assert len(shelf) == 0


class Model:
    """What a shelf should do, said slowly: a list, the entry used last at its end."""

    def __init__(self, ttl_s: float, max_entries: int, max_bytes: int, clock: Clock) -> None:
        self.ttl_s, self.max_entries, self.max_bytes, self.clock = ttl_s, max_entries, max_bytes, clock
        self.entries: list[tuple[bytes, bytes, float]] = []

    def live(self) -> list[tuple[bytes, bytes, float]]:
        self.entries = [one for one in self.entries if one[2] + self.ttl_s > self.clock.now]
        return self.entries

    def size_bytes(self) -> int:
        return sum(len(entry) + ENTRY_OVERHEAD_BYTES for _, entry, _ in self.live())

    def get(self, key: bytes) -> tuple[bytes, float] | None:
        for one in self.live():
            if one[0] == key:
                self.entries.remove(one)
                self.entries.append(one)
                return one[1:]
        return None

    def put(self, key: bytes, entry: bytes) -> int | None:
        if len(entry) + ENTRY_OVERHEAD_BYTES > self.max_bytes:
            return None
        self.entries = [one for one in self.live() if one[0] != key]
        before = len(self.entries)
        room = self.max_bytes - len(entry) - ENTRY_OVERHEAD_BYTES
        while len(self.entries) >= self.max_entries or self.size_bytes() > room:
            self.entries.pop(0)
        evicted = before - len(self.entries)
        self.entries.append((key, entry, self.clock.now))
        return evicted


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(b"abcdef"), st.integers(0, 900)),
        st.tuples(st.just("get"), st.sampled_from(b"abcdef"), st.just(0)),
        st.tuples(st.just("wait"), st.just(0), st.integers(1, 6)),
        st.tuples(st.just("clear"), st.just(0), st.just(0)),
    ),
    max_size=40,
)


@given(steps)
def test_a_shelf_does_what_a_slow_one_does(taken: list[tuple[str, int, int]]) -> None:
    clock = Clock()
    shelf, model = Shelf(10.0, 3, 1500, clock), Model(10.0, 3, 1500, clock)
    for step, letter, number in taken:
        key = bytes([letter])
        match step:
            case "put":
                assert shelf.put(key, b"x" * number) == model.put(key, b"x" * number)
            case "get":
                stored = shelf.get(key)
                assert (None if stored is None else stored[:2]) == model.get(key)
            case "wait":
                clock.now += number
            case _:
                assert shelf.clear() == len(model.live())
                model.entries = []
        assert (len(shelf), shelf.size_bytes) == (len(model.live()), model.size_bytes())


def test_entries_can_be_let_go_by_their_tag_or_their_key_or_their_use() -> None:
    shelf = Shelf(10.0, 9, 10_000, Clock())
    for key, tags in ((b"a", ("x",)), (b"b", ("x", "y")), (b"c", ())):
        shelf.put(key, b"1", tags)
    assert shelf.get(b"b") == (b"1", 100.0, ("x", "y"))
    assert shelf.size_bytes == 3 * (1 + ENTRY_OVERHEAD_BYTES) + 3
    assert shelf.clear("y") == 1
    assert [key for key in (b"a", b"b", b"c") if shelf.get(key)] == [b"a", b"c"]
    shelf.drop(b"nobody's")
    shelf.drop(b"c")
    assert len(shelf) == 1
    assert (shelf.drop_oldest(), shelf.drop_oldest()) == (True, False)
    assert shelf.size_bytes == 0


def test_an_entry_that_is_old_when_it_comes_goes_when_its_time_is_up() -> None:
    clock = Clock()
    shelf = Shelf(10.0, 9, 10_000, clock)
    shelf.put(b"new", b"1")
    shelf.put(b"old", b"2", age_s=9.0)
    clock.now = 100.5
    assert shelf.get(b"old") == (b"2", 91.0, ())
    clock.now = 101.0
    assert shelf.get(b"old") is None
    assert shelf.get(b"new") is not None
    clock.now = 110.0
    assert (len(shelf), shelf.size_bytes) == (0, 0)
