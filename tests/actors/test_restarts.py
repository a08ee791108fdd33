import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.restarts import CrashHistory, Intensity


def test_delays_double_up_to_the_longest() -> None:
    history = CrashHistory(Intensity(max_crashes=8))
    delays = [history.crashed(0.0, 1.0) for _ in range(8)]
    assert delays == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])


def test_the_sixth_crash_within_the_window_is_one_too_many() -> None:
    history = CrashHistory(Intensity())
    assert [history.crashed(second, 0.0) is None for second in range(6)] == [False] * 5 + [True]


def test_crashes_outside_the_window_are_forgotten() -> None:
    history = CrashHistory(Intensity())
    for second in range(5):
        history.crashed(second, 1.0)
    assert history.crashed(30.0, 1.0) == pytest.approx(1.6)
    assert history.crashed(100.0, 1.0) == pytest.approx(0.1)
    assert repr(history) == "<CrashHistory 1 of 5>"


@settings(max_examples=50)
@given(dice=st.floats(0, 1), crashes=st.integers(1, 5))
def test_the_dice_spread_the_delay_over_its_upper_half(dice: float, crashes: int) -> None:
    history = CrashHistory(Intensity())
    for _ in range(crashes - 1):
        history.crashed(0.0, 0.0)
    delay_s = history.crashed(0.0, dice)
    longest = 0.1 * 2 ** (crashes - 1)
    assert delay_s is not None
    assert longest / 2 <= delay_s <= longest


def test_what_never_gives_up_stays_at_the_longest_delay_until_a_quiet_window() -> None:
    history = CrashHistory(Intensity(max_crashes=3, window_s=60.0, max_delay_s=30.0, gives_up=False))
    now, delays = 0.0, []
    for _ in range(40):
        delay_s = history.crashed(now, 1.0)
        assert delay_s is not None
        delays.append(delay_s)
        now += delay_s
    assert delays[:3] == pytest.approx([0.1, 0.2, 0.4])
    assert delays[-30:] == [30.0] * 30
    assert history.crashed(now + 59, 1.0) == 30.0
    assert history.crashed(now + 59 + 30 + 60, 1.0) == pytest.approx(0.1)
