from pathlib import Path

import trio

from ucr.stress.real.load import Load, Marks, Plan
from ucr.stress.real.report import Report
from ucr.stress.real.run import Run, measured


def run_of(folder: Path, *, short: bool = False, seed: int = 1) -> Run:
    return Run(short, seed, folder, Report(short), 2)


async def test_the_dice_are_those_of_the_seed_and_of_their_purpose(tmp_path: Path) -> None:
    first, again, other = (run_of(tmp_path, seed=seed) for seed in (1, 1, 2))
    assert first.dice("R1").random() == again.dice("R1").random()
    assert len({first.dice("R1").random(), first.dice("R2").random(), other.dice("R1").random()}) == 3


async def test_the_short_form_takes_the_second_choice(tmp_path: Path) -> None:
    assert [run_of(tmp_path, short=short).pick(20.0, 2.0) for short in (False, True)] == [20.0, 2.0]
    assert [run_of(tmp_path, short=short).times(20, 2) for short in (False, True)] == [20, 2]


async def test_what_is_measured_has_a_beginning_and_an_end(tmp_path: Path, autojump_clock: object) -> None:
    load = Load(1, Plan(), Marks(), run_of(tmp_path).dice("load"))
    start, end = await measured(load, 5.0)
    assert (end - start, trio.current_time()) == (5.0, end)
