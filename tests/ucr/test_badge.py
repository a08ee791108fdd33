from ucr.badge import Badge


def test_nothing_is_known_of_a_new_head() -> None:
    assert (Badge().admission, Badge().dialect, Badge().mark) == (None, "", b"")
