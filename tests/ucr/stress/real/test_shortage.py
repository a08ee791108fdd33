import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ucr.stress.real.load import Shot
from ucr.stress.real.report import Report
from ucr.stress.real.shortage import lines_of, report_overload, rows_in, within


def ok(took_s: float, at: float = 1.0) -> Shot:
    return Shot("m", "ok", at - took_s, at, status=200)


def refused(took_s: float = 0.01, retry_after: str = "1", status: int = 529) -> Shot:
    return Shot("m", "error", 1.0, 1.0 + took_s, status=status, retry_after=retry_after)


def verdicts(peak: list[Shot], good: list[Shot], others: list[Shot]) -> list[bool | None]:
    report = Report(False, lambda _: None)
    report_overload(report, peak, good, [*good, *others])
    return [figure.holds for figure in report.figures if figure.holds is not None]


def test_an_overload_that_is_shed_passes() -> None:
    assert verdicts([ok(0.5)] * 100, [ok(0.9)] * 95, [refused()] * 50) == [True] * 5


@pytest.mark.parametrize(
    ("good", "others", "failing"),
    [
        ([ok(0.5)] * 80, [refused()], 0),
        ([ok(0.5)] * 90 + [ok(1.5)] * 10, [refused()], 1),
        ([ok(0.5)] * 100, [], 2),
        ([ok(0.5)] * 100, [refused(0.2)], 3),
        ([ok(0.5)] * 100, [refused(), refused(status=500)], 4),
        ([ok(0.5)] * 100, [refused(), refused(retry_after="")], 4),
    ],
)
def test_each_bound_can_be_missed(good: list[Shot], others: list[Shot], failing: int) -> None:
    held = verdicts([ok(0.5)] * 100, good, others)
    assert [number for number, holds in enumerate(held) if not holds] == [failing]


def test_only_good_answers_of_the_time_count() -> None:
    assert within([ok(0.1, 1.0), ok(0.1, 2.0), refused()], 1.0, 2.0) == [ok(0.1, 1.0)]


def test_rows_are_counted_and_there_are_none_without_a_file(tmp_path: Path) -> None:
    path = tmp_path / "some.sqlite3"
    assert rows_in(path, "t") == 0
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("create table t (a)")
        file.executemany("insert into t values (?)", [(1,), (2,)])
    assert rows_in(path, "t") == 2


def test_a_log_is_read_over_lines_that_are_cut(tmp_path: Path) -> None:
    lines = [
        json.dumps({"event": "request.finished"}),
        '{"event": "requ',
        "",
        json.dumps({"event": "log.dropped", "lines": 7}),
        json.dumps({"event": "request.finished"}),
    ]
    path = tmp_path / "log"
    path.write_text("\n".join(lines))
    assert lines_of(path) == (2, 7)
