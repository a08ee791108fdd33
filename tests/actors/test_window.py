from hypothesis import given
from hypothesis import strategies as st

from actors.window import Window

STEPS = st.lists(st.tuples(st.floats(0, 40, allow_nan=False), st.integers(1, 8)), max_size=60)


def test_what_was_taken_leaves_after_a_minute() -> None:
    window = Window()
    window.add(3, 10.5)
    assert window.used(10.5) == 3
    assert window.used(70.5) == 3
    assert window.used(71.0) == 0


@given(STEPS)
def test_no_minute_holds_more_than_the_limit_wherever_it_begins(steps: list[tuple[float, int]]) -> None:
    window, now, taken = Window(), 0.0, list[tuple[float, int]]()
    for pause, amount in steps:
        now += pause
        if window.used(now) + amount <= 10:
            window.add(amount, now)
            taken.append((now, amount))
    for begin, _ in taken:
        assert sum(amount for at, amount in taken if begin <= at < begin + 60) <= 10


def test_a_steady_taker_gets_sixty_of_sixty_one_parts() -> None:
    window = Window()
    admitted = 0
    for tick in range(6100):
        now = tick / 10
        if window.used(now) < 60:
            window.add(1, now)
            admitted += 1
    assert 0.95 <= admitted / (610 / 60 * 60) <= 1.05


def test_a_refund_comes_out_of_the_slot_in_which_it_was_counted() -> None:
    window = Window()
    window.add(10, 0.0)
    window.add(10, 30.0)
    window.take_back(4, 30.0, 30.0)
    assert window.used(30.0) == 16
    assert window.used(61.0) == 10
    window.take_back(99, 31.0, 61.0)
    assert window.used(61.0) == 0


def test_a_refund_of_what_has_left_already_frees_nothing() -> None:
    window = Window()
    window.add(10, 0.0)
    window.add(5, 60.0)
    window.take_back(10, 90.0, 90.0)
    assert window.used(90.0) == 5


@given(STEPS, st.floats(0, 10_000))
def test_a_window_moved_to_another_clock_never_forgets_too_early(
    steps: list[tuple[float, int]], offset: float
) -> None:
    window, now = Window(), 0.0
    for pause, amount in steps:
        now += pause
        window.add(amount, now)
    moved = Window()
    moved.restore(window.ages(now), now + offset)
    for later in (0.0, 5.0, 30.0, 59.0, 60.0, 70.0):
        assert moved.used(now + offset + later) >= _within_a_minute(steps, now + later)


def _within_a_minute(steps: list[tuple[float, int]], now: float) -> int:
    at, total = 0.0, 0
    for pause, amount in steps:
        at += pause
        total += amount if at > now - 60 else 0
    return total


def test_it_says_what_leaves_when() -> None:
    window = Window()
    window.add(2, 0.0)
    window.add(3, 5.0)
    assert window.leaving(6.0) == ((55.0, 2), (60.0, 3))


def test_the_table_of_a_window_does_not_grow() -> None:
    window = Window()
    for tick in range(10_000):
        window.add(1, tick / 3)
    assert len(window.leaving(10_000 / 3)) <= 61
