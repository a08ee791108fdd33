from pathlib import Path

import pytest

from ucr.stress.real.report import Report
from ucr.stress.real.run import Run
from ucr.stress.real.targets import NAMES, TARGETS, Target, chosen, heading, in_both_lanes, prove, why


def test_all_are_proved_unless_some_are_named_and_in_their_order() -> None:
    assert chosen(()) == TARGETS
    assert [target.name for target in chosen(("R5", "R1"))] == ["R1", "R5"]
    assert len(set(NAMES)) == len(NAMES)


def test_the_heading_says_the_seed_and_the_versions() -> None:
    assert heading(7).startswith("seed 7, ")
    assert "trio " in heading(7)


async def test_a_target_that_breaks_has_failed_and_the_next_is_proved(tmp_path: Path) -> None:
    async def breaks(run: Run) -> None:
        raise OSError("no room")

    async def holds(run: Run) -> None:
        run.report.fact("B", "it holds", True)

    lines: list[str] = []
    report = Report(False, lines.append)
    await prove(Run(False, 1, tmp_path, report, 1), (Target("A", breaks), Target("B", holds)))
    assert [(figure.target, figure.holds) for figure in report.figures] == [("A", False), ("B", True)]
    assert "no room" in report.figures[0].what
    assert [line for line in lines if line.startswith("A    took")]


@pytest.mark.parametrize("depth", [0, 2])
def test_the_first_cause_is_found_in_groups(depth: int) -> None:
    error: BaseException = ValueError("deep")
    for _ in range(depth):
        error = BaseExceptionGroup("more", [error, KeyError()])
    assert why(error) == "ValueError('deep')"


async def test_what_is_proved_in_both_lanes_says_which_figure_is_of_which(tmp_path: Path) -> None:
    lanes: list[bool] = []

    async def counts(run: Run) -> None:
        lanes.append(run.front_lane)
        run.report.count("A", "wrong answers", 0, 0, 1)

    run = Run(False, 1, tmp_path, Report(False, lambda line: None), 1)
    await in_both_lanes(counts)(run)
    assert (lanes, run.front_lane, run.report.beside) == ([True, False], True, "")
    assert [figure.what for figure in run.report.figures] == [
        "wrong answers",
        "wrong answers, without the front lane",
    ]
