"""The table of faults is complete, and the tests that it names exist."""

import pytest

from tests.world.tables import Row, page, problems, rows
from ucr.stress.real.targets import NAMES

ROWS = list(rows(page("reliability.md"), r"\d+"))
LISTED = [*range(1, 71), *range(75, 99)]


def test_each_fault_is_listed_once_and_in_order() -> None:
    assert [int(number) for number, _, _ in ROWS] == LISTED


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_fault_has_tests_that_exist(row: Row) -> None:
    assert problems(row) == []


@pytest.mark.parametrize(
    "row",
    [
        ("1", "529", "`tests/catalogue/test_nothing.py`"),
        ("1", "529", "`tests/catalogue/test_bounds.py::test_nothing`"),
        ("1", "529", ""),
        ("1", "open", "`tests/catalogue/test_bounds.py`"),
    ],
)
def test_the_check_is_able_to_fail(row: Row) -> None:
    assert problems(row)


def test_each_target_has_its_rows_and_what_was_measured() -> None:
    section = page("reliability.md").partition("## Targets")[2]
    assert {name for name, _, _ in rows(section, r"R\d+|[a-zA-Z0-9]+")} - {"target"} >= set(NAMES)
