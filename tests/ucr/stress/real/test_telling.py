import json
from pathlib import Path

from ucr.stress.real.report import Report
from ucr.stress.real.telling import save_picture, told
from ucr.stress.real.timeline import Course


def test_what_was_measured_is_a_table_or_one_object() -> None:
    report = Report(False, lambda _: None)
    report.count("R1", "lost", 1, 0, 10)
    assert told(report, "seed 1", as_json=False).splitlines()[1] == "seed 1"
    facts = json.loads(told(report, "seed 1", as_json=True))
    assert (facts["run"], facts["passed"]) == ("seed 1", False)
    assert (
        facts["figures"][0] | {"target": "R1", "measured": "1", "bound": "<= 0", "holds": False}
        == facts["figures"][0]
    )


def test_the_picture_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    save_picture(Course(1.0), "seed 1", tmp_path / "run.svg")
    assert (tmp_path / "run.svg").read_text().startswith("<svg ")
