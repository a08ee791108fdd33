import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest

from ucr.cost_command import GROUPS
from ucr.cost_report import KEYS, Line, as_csv, as_json, as_table, lines, total
from ucr.kept_file import Bounds
from ucr.usage import UsageRow
from ucr.usage_file import NAME, UsageFile

DAY_S = 86_400.0
ROWS = (
    UsageRow(0.5 * DAY_S, "a", "s1", "up", "m", 200, "miss", 10, 5, 100, 7, 2_000_000_000),
    UsageRow(0.6 * DAY_S, "a", "s2", "up", "n", 200, "miss", 1, 1, None, None, None),
    UsageRow(1.5 * DAY_S, None, None, "other", "m", 200, "miss", 20, 30, None, None, 500_000_000),
    UsageRow(1.5 * DAY_S, "b", "s1", "up", "m", 200, "hit", None, None, None, None, None),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = UsageFile(tmp_path / NAME, Bounds(1e9, 2**30))
    file.write(ROWS, [], 0.0)
    file.close()
    return tmp_path / NAME


def test_a_day_is_summed_up_and_what_has_no_price_is_counted_beside(path: Path) -> None:
    assert lines(path, "day", 0.0) == [
        Line("1970-01-01", 2, 11, 6, 100, 7, 2.0, 1),
        Line("1970-01-02", 2, 20, 30, 0, 0, 0.5, 0),
    ]


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("provider", ["other", "up"]),
        ("model", ["other/m", "up/m", "up/n"]),
        ("session", ["", "s1", "s2"]),
        ("client", ["", "a", "b"]),
    ],
)
def test_it_is_summed_up_by_what_one_asks(path: Path, by: str, names: list[str]) -> None:
    found = lines(path, by, 0.0)
    assert [line.name for line in found] == names
    assert total(found) == Line("total", 4, 31, 36, 100, 7, 2.5, 1)


def test_every_group_of_the_command_has_its_expression() -> None:
    assert tuple(name for name, _ in KEYS) == GROUPS


def test_what_was_before_is_left_out(path: Path) -> None:
    assert [line.name for line in lines(path, "day", DAY_S)] == ["1970-01-02"]
    assert lines(path, "day", 9 * DAY_S) == []


def test_a_cost_that_nobody_knows_is_none_and_never_0(path: Path) -> None:
    found = [line for line in lines(path, "model", 0.0) if line.name == "up/n"]
    assert found[0].cost_usd is None
    assert total(found).cost_usd is None
    assert "?" in as_table(found, "model")
    assert as_csv(found, "model").endswith(",,1\n")
    assert json.loads(as_json(found))["total"]["cost_usd"] is None


def test_the_table_is_aligned_and_ends_with_the_sum(path: Path) -> None:
    assert as_table(lines(path, "provider", 0.0), "provider").splitlines() == [
        "provider  requests  input  output  cache read  cache write     USD  unpriced",
        "other            1     20      30           0            0  0.5000",
        "up               3     11       6         100            7  2.0000         1",
        "total            4     31      36         100            7  2.5000         1",
    ]


def test_comma_separated_values_have_a_head(path: Path) -> None:
    read = list(csv.DictReader(io.StringIO(as_csv(lines(path, "provider", 0.0), "provider"))))
    assert read[1]["provider"] == "up"
    assert (read[1]["requests"], read[1]["cost_usd"], read[1]["unpriced"]) == ("3", "2.0", "1")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x"])
def test_no_name_is_a_formula_and_none_steers_a_terminal(name: str) -> None:
    line = Line(f"{name}\x1b[2J", 1, 1, 1, 1, 1, None, 1)
    assert as_csv([line], "model").splitlines()[1].startswith(f"'{name}")
    assert "\x1b" not in as_table([line], "model")


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.Error):
        lines(tmp_path / NAME, "day", 0.0)
    assert not (tmp_path / NAME).exists()
