from ucr.journal.entry import BASE_BYTES, Entry


def test_an_entry_takes_what_its_texts_take() -> None:
    assert Entry(1.0, "req_1", "up", 200, False, "{}").size_bytes == BASE_BYTES + 2
    assert Entry(1.0, "req_1", "up", 200, False, "{}", "x" * 10, "y" * 5).size_bytes == BASE_BYTES + 17
