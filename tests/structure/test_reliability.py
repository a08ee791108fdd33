"""The table of faults is complete, and the tests that it names exist."""

import re
from collections.abc import Iterator

import pytest

from tests.world.sources import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
LISTED = [*range(1, 67), *range(75, 99)]
Row = tuple[int, str, str]


def rows(page: str) -> Iterator[Row]:
    """Give number, behaviour and tests of every fault."""
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 4 and cells[0].isdecimal():
            yield int(cells[0]), cells[2], cells[3]


def problems(row: Row) -> list[str]:
    number, behaviour, tests = row
    names = re.findall(r"`([^`]+)`", tests)
    found = [f"{number}: {name} does not exist" for name in names if is_missing(name)]
    if bool(names) == (behaviour == "open"):
        found.append(f"{number}: a row is open, or it names its tests")
    return found


def is_missing(name: str) -> bool:
    path, _, test = name.partition("::")
    file = ROOT / path
    return not file.is_file() or (bool(test) and f"def {test}(" not in file.read_text(encoding="utf-8"))


def test_each_fault_is_listed_once_and_in_order() -> None:
    assert [number for number, _, _ in rows(PAGE)] == LISTED


@pytest.mark.parametrize("row", list(rows(PAGE)), ids=lambda row: str(row[0]))
def test_each_fault_has_tests_that_exist(row: Row) -> None:
    assert problems(row) == []


@pytest.mark.parametrize(
    "row",
    [
        (1, "529", "`tests/catalogue/test_nothing.py`"),
        (1, "529", "`tests/catalogue/test_bounds.py::test_nothing`"),
        (1, "529", ""),
        (1, "open", "`tests/catalogue/test_bounds.py`"),
    ],
)
def test_the_check_is_able_to_fail(row: Row) -> None:
    assert problems(row)
