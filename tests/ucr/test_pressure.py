from contextlib import nullcontext

import pytest

from ucr.errors import ApiError
from ucr.pressure import LEAST_BYTES, LEVELS, Level, Pressure, level_of, share_bytes

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("rss_bytes", "level"),
    [
        (0, "calm"),
        (799, "calm"),
        (800, "tight"),
        (900, "shedding"),
        (949, "shedding"),
        (950, "spent"),
        (5000, "spent"),
    ],
)
def test_a_level_begins_at_its_share_of_the_limit(rss_bytes: int, level: Level) -> None:
    assert level_of(rss_bytes, 1000) == level


@pytest.mark.parametrize(
    ("rss_bytes", "before", "level"),
    [
        (760, "tight", "tight"),
        (749, "tight", "calm"),
        (860, "shedding", "shedding"),
        (849, "shedding", "tight"),
        (910, "spent", "spent"),
        (899, "spent", "shedding"),
        (100, "spent", "calm"),
        (960, "tight", "spent"),
    ],
)
def test_it_ends_well_below_that_and_a_graver_one_begins_at_once(
    rss_bytes: int, before: Level, level: Level
) -> None:
    assert level_of(rss_bytes, 1000, before) == level


def test_a_pressure_says_what_follows_from_its_level() -> None:
    pressure = Pressure(100 * MIB)
    followed = []
    for mib in (50, 80, 90, 95, 86, 84, 70):
        pressure.look(mib * MIB)
        followed.append((pressure.level, pressure.is_tight, pressure.is_shedding))
    assert followed == [
        ("calm", False, False),
        ("tight", True, False),
        ("shedding", True, True),
        ("spent", True, True),
        ("shedding", True, True),
        ("tight", True, False),
        ("calm", False, False),
    ]
    assert repr(pressure) == f"<Pressure calm: {70 * MIB} of {100 * MIB} bytes>"
    assert [LEVELS.index(level) for level in ("calm", "tight", "shedding", "spent")] == [0, 1, 2, 3]


def test_workers_share_three_quarters_of_a_machine_and_have_enough_to_live_on() -> None:
    assert share_bytes(16_384 * MIB, 4) == 3072 * MIB
    assert share_bytes(512 * MIB, 4) == LEAST_BYTES


def test_what_is_taken_at_this_moment_is_looked_at_for_what_is_large() -> None:
    pressure = Pressure(1000)
    pressure.check()
    for taken, is_short in ((899, False), (900, True), (5000, True), (10, False)):
        pressure.take = lambda taken=taken: taken  # type: ignore[misc]
        with pytest.raises(ApiError, match="short of memory") if is_short else nullcontext():
            pressure.check()
    assert pressure.level == "calm"
