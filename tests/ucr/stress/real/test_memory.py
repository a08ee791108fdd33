from ucr.stress.real.memory import both, more


def test_memory_before_and_after_is_said_in_mebibytes() -> None:
    assert both(40.04, 41.26) == "40.0 MiB, 41.3 MiB"


def test_the_most_that_one_process_takes_more_is_of_those_that_lived_through_it() -> None:
    assert more({1: 40, 2: 40, 3: 10}, {1: 41, 2: 45, 4: 90}) == 5
    assert more({1: 40}, {2: 40}) == 0
