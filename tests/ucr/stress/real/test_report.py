import pytest

from ucr.stress.real.report import Figure, Report, quantile, said


def figures(report: Report) -> list[tuple[str, bool | None]]:
    return [(figure.bound, figure.holds) for figure in report.figures]


def test_a_time_is_stretched_in_the_short_form_and_a_count_is_not() -> None:
    for short, holds in ((False, False), (True, True)):
        report = Report(short)
        report.time("R1", "gap", 1.2, 1.0, 1)
        report.count("R1", "lost", 1, 0, 10)
        assert [held for _, held in figures(report)] == [holds, False]


def test_a_bound_is_met_by_what_equals_it() -> None:
    report = Report(short=False)
    report.count("R1", "lost", 0, 0, 10)
    report.time("R1", "gap", 1.0, 1.0, 1)
    report.share("R4", "ok", 0.999, 0.999, 1000)
    report.ratio("R6", "calls", 1.2, 1.2, 10)
    assert figures(report) == [("<= 0", True), ("<= 1.00 s", True), (">= 99.9%", True), ("<= 1.20", True)]
    assert not report.has_failed


def test_one_missed_bound_fails_the_report_and_what_is_only_told_does_not() -> None:
    report = Report(short=False)
    report.told("load", "p50", "3 ms", 10)
    assert not report.has_failed
    report.fact("R19", "the port is free", False)
    assert report.has_failed


def test_the_table_has_a_line_for_each_figure_under_its_head() -> None:
    report = Report(short=False, figures=[Figure("R3", "exit status", "0", "<= 0", 1, True)])
    assert [line.split() for line in report.table().splitlines()] == [
        ["target", "what", "bound", "measured", "n"],
        ["R3", "exit", "status", "<=", "0", "0", "1", "pass"],
    ]


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.5, 51.0), (0.99, 100.0), (1.0, 100.0)])
def test_a_quantile_is_one_of_the_values(share: float, value: float) -> None:
    assert quantile([float(number) for number in range(100, 0, -1)], share) == value


def test_there_is_no_quantile_of_nothing() -> None:
    assert quantile([], 0.99) == 0.0


@pytest.mark.parametrize(("seconds", "words"), [(0.0123, "12 ms"), (1.0, "1.00 s"), (12.3456, "12.35 s")])
def test_times_are_said_in_fitting_units(seconds: float, words: str) -> None:
    assert said(seconds) == words
