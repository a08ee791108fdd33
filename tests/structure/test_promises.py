"""The page of promises keeps to its form, and what it names is there."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.world.sources import ROOT

PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
SECTIONS = 9
STATES = {"done", "open", "replaced"}
Row = tuple[str, str, str]


def rows(page: str) -> Iterator[Row]:
    """Give promise, state and place of every row that is not a table's head."""
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if (
            line.startswith("|")
            and len(cells) == 3
            and cells[0] != "promise"
            and not cells[0].startswith("---")
        ):
            yield cells[0], cells[1], cells[2]


def faults(row: Row, keys: frozenset[str]) -> list[str]:
    promise, state, place = row
    found = [] if state in STATES else [f"{promise}: {state!r} is no state"]
    if state != "open" and not place:
        found.append(f"{promise}: {state}, but neither where nor why")
    names = re.findall(r"`([^`]+)`", place)
    found += [f"{name} does not exist" for name in names if is_missing_path(name)]
    if keys:
        found += [f"{name} is not a key" for name in key_names(state, names) if name not in keys]
    return found


def is_missing_path(name: str) -> bool:
    path = name.split("::")[0].split(" ")[0].removeprefix("./")
    return path.startswith(("tests/", "scripts/", "docs/")) and not (ROOT / path).exists()


def key_names(state: str, names: list[str]) -> list[str]:
    """Return what looks like a configuration key in the rows of what is there already."""
    return [name for name in names if state != "open" and re.fullmatch(r"[a-z]+\.[a-z_]+", name)]


def configuration_keys() -> frozenset[str]:
    """Read the exported schema of the configuration; nothing where there is none."""
    schema = ROOT / "docs" / "ucr.schema.json"
    if not schema.is_file():
        return frozenset()
    tables = json.loads(schema.read_text(encoding="utf-8"))["properties"]
    return frozenset(f"{table}.{key}" for table, entry in tables.items() for key in entry.get("properties", {}))


KEYS = configuration_keys()


def test_every_section_is_there() -> None:
    assert PAGE.count("\n## ") == SECTIONS
    assert len(list(rows(PAGE))) > 50


@pytest.mark.parametrize("row", tuple(rows(PAGE)), ids=lambda row: row[0])
def test_a_promise_has_a_state_and_what_it_names_exists(row: Row) -> None:
    assert faults(row, KEYS) == []


@pytest.mark.parametrize(
    "row",
    [
        ("A", "nearly", ""),
        ("A", "done", ""),
        ("A", "replaced", ""),
        ("A", "done", "test `tests/ucr/test_nowhere.py`"),
        ("A", "done", "command `./scripts/nowhere`"),
        ("A", "done", "key `server.nowhere`"),
    ],
)
def test_each_rule_is_able_to_fail(row: Row) -> None:
    assert faults(row, frozenset({"server.port"}))
