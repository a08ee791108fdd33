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
    assert shelf.get(b"k") == (b"one", 100.0)
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
    assert shelf.get(b"a") == (b"newer", 120.0)
    assert len(shelf) == 1


def test_clearing_says_how_much_there_was() -> None:
    shelf = Shelf(10.0, 9, 10_000, Clock())
    shelf.put(b"a", b"1")
    shelf.put(b"b", b"2")
    assert repr(shelf) == f"<Shelf 2/9 entries, {2 + 2 * ENTRY_OVERHEAD_BYTES} bytes>"
    assert shelf.clear() == 2
    assert len(shelf) == 0
