"""Every numbered hard case of the protocols is a test, or the page on translation says why it is none."""

import re
from collections.abc import Iterable

from tests.world.sources import ROOT

CASES = range(1, 194)
PAGE = (ROOT / "docs" / "translation.md").read_text(encoding="utf-8")
_SECTION = re.compile(r"^## Edge cases without a test\n(.*?)^## ", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| (\d+) \| .+ \| .+ \|$", re.MULTILINE)
_TESTED = re.compile(r"\bedge-(\d+)\b")


def numbers_of(texts: Iterable[str]) -> set[int]:
    """Return the numbers that stand in these texts of tests."""
    return {int(number) for text in texts for number in _TESTED.findall(text)}


def listed(page: str) -> set[int]:
    """Return the numbers of a page's rows of cases without a test."""
    section = _SECTION.search(page)
    return {int(number) for number in _ROW.findall(section[1])} if section else set()


def test_every_edge_case_is_a_test_or_has_its_reason() -> None:
    files = [file for file in (ROOT / "tests").rglob("test_*.py") if file.parent.name != "structure"]
    found = numbers_of(file.read_text(encoding="utf-8") for file in files) | listed(PAGE)
    assert sorted(set(CASES) - found) == []
    assert sorted(found - set(CASES)) == []


def test_numbers_are_found_in_both_places() -> None:
    assert numbers_of(['id="edge-07-cut"', "edge-12, edge-193"]) == {7, 12, 193}
    page = "## Edge cases without a test\n\n| case | given | why |\n|---|---|---|\n| 4 | x | y |\n\n## Next\n| 5 | x | y |\n"
    assert listed(page) == {4}
