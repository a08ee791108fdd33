from ucr.journal.entry import BASE_BYTES, Entry, size_of


def test_an_entry_takes_what_its_texts_take() -> None:
    assert Entry(1.0, "req_1", "up", 200, False, "{}").size_bytes == BASE_BYTES + 2
    assert Entry(1.0, "req_1", "up", 200, False, "{}", "x" * 10, "y" * 5).size_bytes == BASE_BYTES + 17


def test_entries_take_what_each_of_them_takes() -> None:
    entries = [Entry(float(number), "req_1", "up", 200, False, "x" * number) for number in range(3)]
    assert size_of(entries) == sum(entry.size_bytes for entry in entries) == 3 * BASE_BYTES + 3
    assert size_of(()) == 0
