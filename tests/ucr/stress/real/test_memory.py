from ucr.stress.real.memory import both


def test_memory_before_and_after_is_said_in_mebibytes() -> None:
    assert both(40.04, 41.26) == "40.0 MiB, 41.3 MiB"
