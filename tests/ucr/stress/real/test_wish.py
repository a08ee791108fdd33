import pytest

from ucr.stress.real.storms import KINDS
from ucr.stress.real.targets import TARGETS
from ucr.stress.real.wish import Wish, WishError, wish_of


def test_nothing_named_is_every_target() -> None:
    assert wish_of("", None, None, "") == Wish()
    assert Wish().targets() == TARGETS


def test_named_targets_are_proved_and_nothing_else() -> None:
    assert [target.name for target in wish_of("R5, R1", None, None, "").targets()] == ["R1", "R5"]


@pytest.mark.parametrize(
    ("wish", "level", "seconds", "faults"),
    [
        (wish_of("", "heavy", None, ""), "heavy", 60, ()),
        (wish_of("", None, 2.5, ""), "medium", 150, ()),
        (wish_of("", None, None, "kills,reloads"), "medium", 60, ("kills", "reloads")),
        (wish_of("", "light", None, "", is_soak=True), "light", 3600, tuple(KINDS)),
        (wish_of("", None, None, "stops", is_soak=True), "medium", 3600, ("stops",)),
    ],
)
def test_any_option_of_a_load_asks_for_one(
    wish: Wish, level: str, seconds: float, faults: tuple[str, ...]
) -> None:
    assert (wish.level, wish.seconds, wish.faults) == (level, seconds, faults)
    (target,) = wish.targets()
    assert target.name == level
    assert target.limit_s > seconds


def test_a_load_comes_before_the_targets_that_are_named_with_it() -> None:
    assert [target.name for target in wish_of("R20", "light", None, "").targets()] == ["light", "R20"]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(WishError) as caught:
        wish_of("R1,R99", None, 2.0, "kills,floods", is_soak=True)
    lines = str(caught.value).splitlines()
    assert [line.split(";")[0] for line in lines] == [
        "no target R99",
        "no fault floods",
        "--soak and --minutes exclude each other",
    ]
    assert "R20" in lines[0] and "outages" in lines[1]
