from ucr.stress.real.levels import CONNECTIONS, MOST_TIMES, Counts, report_growth
from ucr.stress.real.load import Shot, Verdict
from ucr.stress.real.memory import Taken
from ucr.stress.real.report import Report


def shot(verdict: Verdict, finished_at: float, took_s: float = 0.1) -> Shot:
    return Shot("m", verdict, finished_at - took_s, finished_at)


def test_the_levels_have_as_many_connections_as_the_load_test_that_they_follow() -> None:
    assert dict(CONNECTIONS) == {"light": 50, "medium": 100, "heavy": 200}


def test_what_went_wrong_is_kept_and_the_longest_gap_is_between_good_answers() -> None:
    counts = Counts()
    counts.add([shot("ok", 1.0), shot("lost", 1.5), shot("ok", 3.0)])
    counts.add([shot("ok", 3.5)])
    assert (counts.verdicts["ok"], len(counts.wrong), counts.longest_gap_s) == (3, 1, 2.0)


def test_the_times_of_a_long_run_are_a_sample_of_all_of_it() -> None:
    counts = Counts()
    for part in range(20):
        counts.add(shot("ok", float(number), float(part)) for number in range(MOST_TIMES // 4))
    assert len(counts.times) <= MOST_TIMES
    assert {round(time) for time in counts.times} == set(range(20))


def test_growth_is_of_the_processes_that_lived_through_it() -> None:
    lines: list[str] = []
    report = Report(False, lines.append)
    before, after = Taken({1: 40.0, 2: 40.0}, {1: 9, 2: 9}), Taken({1: 45.0, 3: 90.0}, {1: 14, 3: 60})
    report_growth(report, "light", (before, after), (before, after))
    assert [(figure.measured, figure.holds) for figure in report.figures] == [("5.00 MiB", True), ("5", False)]
