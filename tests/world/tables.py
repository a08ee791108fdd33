"""Tables of the docs that name tests: what their rows say, and whether what they name exists."""

import re
from collections.abc import Iterator

from tests.world.sources import ROOT

Row = tuple[str, str, str]
"""What a row is about (a number or a short name), the behaviour, and the names of its tests."""


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def rows(text: str, key: str) -> Iterator[Row]:
    """Give the rows of four cells whose first cell fits the pattern `key`."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 4 and re.fullmatch(key, cells[0]):
            yield cells[0], cells[2], cells[3]


def problems(row: Row) -> list[str]:
    """Say what is wrong with a row: it names tests that exist, or its behaviour begins with "open"."""
    number, behaviour, tests = row
    names = re.findall(r"`([^`]+)`", tests)
    found = [f"{number}: {name} does not exist" for name in names if _is_missing(name)]
    if bool(names) == behaviour.startswith("open"):
        found.append(f"{number}: a row is open, or it names its tests")
    return found


def _is_missing(name: str) -> bool:
    path, _, test = name.partition("::")
    file = ROOT / path
    return not file.is_file() or (bool(test) and f"def {test}(" not in file.read_text(encoding="utf-8"))
