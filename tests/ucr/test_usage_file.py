"""The file of the accounts: kept, bounded, private; damaged or full it is replaced or said so."""

import math
import sqlite3
import stat
from pathlib import Path

import pytest

from actors.allowance import GONE, Balance
from ucr.kept_file import PAGE_BYTES, PRUNE_EVERY, Bounds
from ucr.usage import UsageRow
from ucr.usage_file import NAME, UsageFile

BOUNDS = Bounds(86_400.0, 2**30)


def row(at_s: float = 1000.0, session: str = "s") -> UsageRow:
    return UsageRow(at_s, "a", session, "up", "m", 200, "miss", 1, 2, None, 4, 5)


def rows_in(path: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("select * from usage order by at_s").fetchall()
    finally:
        connection.close()


def opened(folder: Path, bounds: Bounds = BOUNDS) -> UsageFile:
    return UsageFile(folder / NAME, bounds)


def test_what_is_written_is_there_after_a_restart(tmp_path: Path) -> None:
    file = opened(tmp_path)
    assert not file.write([row(), row(1001.0)], [Balance("k", "w", 5000.0, 7)], 1001.0)
    file.close()
    again = opened(tmp_path)
    assert again.balances(1001.0, joined=False) == (Balance("k", "w", 5000.0, 7),)
    again.close()
    assert rows_in(tmp_path / NAME) == [
        (1000.0, "a", "s", "up", "m", 200, "miss", 1, 2, None, 4, 5),
        (1001.0, "a", "s", "up", "m", 200, "miss", 1, 2, None, 4, 5),
    ]


def test_only_this_user_can_read_it(tmp_path: Path) -> None:
    file = opened(tmp_path / "state")
    file.write([row()], [], 1000.0)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    for path in (tmp_path / "state").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    file.close()


def test_a_balance_that_is_written_again_is_the_later_one_and_never_two(tmp_path: Path) -> None:
    file = opened(tmp_path)
    for amount in (7, 9):
        file.write([], [Balance("k", "w", math.inf, amount), Balance("k", "x", math.inf, 1)], 0.0)
    assert file.balances(0.0, joined=False) == (Balance("k", "w", math.inf, 9), Balance("k", "x", math.inf, 1))
    assert file.balances(0.0, joined=True) == (Balance("k", GONE, math.inf, 10),)
    assert file.balances(0.0, joined=True) == (Balance("k", GONE, math.inf, 10),)
    file.close()


def test_accounts_that_ended_long_ago_are_forgotten(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.write([], [Balance("old", "w", 10.0, 1), Balance("new", "w", 1e6, 1)], 0.0)
    assert [one.account for one in file.balances(10.0 + 86_401, joined=True)] == ["new"]
    file.close()


def test_rows_that_are_too_old_go(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.write([row(0.0), row(50_000.0)], [], 50_000.0)
    for _ in range(PRUNE_EVERY):
        file.write([], [], 100_000.0)
    file.close()
    assert [found[0] for found in rows_in(tmp_path / NAME)] == [50_000.0]


def test_a_file_that_is_too_large_loses_its_oldest_rows_and_grows_no_more(tmp_path: Path) -> None:
    file = opened(tmp_path, Bounds(math.inf, 2**17))
    for number in range(4 * PRUNE_EVERY):
        file.write([row(float(10 * number + n), "s" * 50) for n in range(10)], [], 0.0)
    file.close()
    found = rows_in(tmp_path / NAME)
    assert (tmp_path / NAME).stat().st_size < 2**20
    assert 0 < len(found) < 40 * PRUNE_EVERY
    assert found[-1][0] == 10.0 * (4 * PRUNE_EVERY - 1) + 9


def test_a_damaged_file_is_moved_aside_and_another_one_begun(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"this is no database" * 400)
    file = opened(tmp_path)
    file.write([row()], [], 1000.0)
    file.close()
    assert len(rows_in(tmp_path / NAME)) == 1
    assert (tmp_path / f"{NAME}.damaged").read_bytes().startswith(b"this is no database")


def test_a_file_that_is_damaged_while_it_is_open_is_replaced_and_that_is_said(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.write([row(float(n), "x" * 500) for n in range(100)], [], 0.0)
    file.close()
    size = (tmp_path / NAME).stat().st_size
    with (tmp_path / NAME).open("r+b") as damaged:
        damaged.seek(PAGE_BYTES)
        damaged.write(b"\xff" * (size - 4096))
    file = opened(tmp_path)
    assert file.write([row()], [Balance("k", "w", 1.0, 2)], 1000.0)
    assert not file.write([row()], [], 1000.0)
    file.close()
    assert len(rows_in(tmp_path / NAME)) == 2
    assert (tmp_path / f"{NAME}.damaged").exists()


def test_a_file_that_is_found_damaged_when_its_balances_are_read_is_replaced(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.write([], [Balance("k", "w", math.inf, 7)], 0.0)
    file.close()
    size = (tmp_path / NAME).stat().st_size
    with (tmp_path / NAME).open("r+b") as damaged:
        damaged.seek(PAGE_BYTES)
        damaged.write(b"\xff" * (size - 4096))
    file = opened(tmp_path)
    assert file.balances(0.0, joined=True) == ()
    assert not file.write([row()], [], 1000.0)
    file.close()


def test_a_disk_that_is_full_is_said_and_what_was_there_stays(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.write([row()], [], 1000.0)
    file._file._connection.execute("pragma max_page_count = 8").fetchall()
    with pytest.raises(sqlite3.OperationalError, match="full"):
        file.write([row(float(n), "s" * 200) for n in range(1000)], [], 1000.0)
    file._file._connection.execute("pragma max_page_count = 80000").fetchall()
    assert not file.write([row()], [], 1000.0)
    file.close()
    assert len(rows_in(tmp_path / NAME)) == 2


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / NAME)
    connection.execute("pragma user_version = 99")
    connection.close()
    with pytest.raises(sqlite3.OperationalError, match="version 99"):
        opened(tmp_path).balances(0.0, joined=False)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_folder_that_cannot_be_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OSError):
        opened(tmp_path / "taken").balances(0.0, joined=False)
