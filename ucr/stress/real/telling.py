"""The end of a run: its table or its JSON, and its picture."""

import json
from dataclasses import asdict
from pathlib import Path

from ucr.stress.real.picture import drawn
from ucr.stress.real.report import Report
from ucr.stress.real.timeline import Course


def told(report: Report, heading: str, *, as_json: bool) -> str:
    """Return everything that was measured."""
    if not as_json:
        return f"\n{heading}\n{report.table()}"
    figures = [asdict(figure) for figure in report.figures]
    return json.dumps({"run": heading, "passed": not report.has_failed, "figures": figures})


def save_picture(course: Course, heading: str, path: Path) -> None:
    """Write the picture of a run; raise `OSError` when it cannot be written."""
    picture = drawn(heading, course)
    path.write_text(picture, "utf-8")
