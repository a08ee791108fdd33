from hypothesis import given
from hypothesis import strategies as st

from actors.waiting import Urgency, Waiting

PATIENCE_S = 5.0


def drained(waiting: Waiting[str, str], now: float) -> str:
    order = ""
    while (turn := waiting.first(now, PATIENCE_S)) is not None:
        order += turn[0]
        waiting.remove(turn[0])
    return order


def filled(*places: tuple[str, Urgency, float]) -> Waiting[str, str]:
    waiting: Waiting[str, str] = Waiting()
    for name, urgency, since in places:
        waiting.add(name, name, urgency, since)
    return waiting


def test_interactive_work_goes_before_background_work() -> None:
    waiting = filled(("a", "background", 0), ("b", "interactive", 1), ("c", "interactive", 2))
    assert len(waiting) == 3
    assert repr(waiting) == "<Waiting: 2 interactive, 1 background>"
    assert drained(waiting, 3) == "bca"


def test_background_work_that_waited_long_enough_goes_in_its_turn() -> None:
    waiting = filled(("i", "interactive", 0), ("a", "background", 1), ("b", "interactive", 2))
    assert drained(waiting, 6) == "iab"


def test_whoever_leaves_is_not_called() -> None:
    waiting = filled(("a", "interactive", 0), ("b", "background", 0), ("c", "interactive", 0))
    waiting.remove("a")
    waiting.remove("b")
    waiting.remove("nobody")
    assert list(waiting) == [("c", "c")]
    assert drained(waiting, 0) == "c"
    assert waiting.first(0, PATIENCE_S) is None


@given(st.lists(st.tuples(st.sampled_from(["interactive", "background"]), st.floats(0, 3)), max_size=40))
def test_within_a_lane_nobody_overtakes(arrivals: list[tuple[Urgency, float]]) -> None:
    waiting: Waiting[int, Urgency] = Waiting()
    now = 0.0
    for number, (urgency, pause) in enumerate(arrivals):
        now += pause
        waiting.add(number, urgency, urgency, now)
    order: dict[Urgency, list[int]] = {"interactive": [], "background": []}
    while (turn := waiting.first(now, PATIENCE_S)) is not None:
        order[turn[1]].append(turn[0])
        waiting.remove(turn[0])
        now += 1
    assert all(numbers == sorted(numbers) for numbers in order.values())
    assert sum(map(len, order.values())) == len(arrivals)
