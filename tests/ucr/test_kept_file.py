"""A file of what the router did: private, bounded by age and size, and replaced when it is damaged."""

import math
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from ucr.journal.file import COLUMNS
from ucr.kept_file import AT_ONCE, PAGE_BYTES, PRUNE_EVERY, Bounds, KeptFile, Plan, insert
from ucr.usage import UsageRow

WIDE = Bounds(math.inf, 2**30)
PLAN = Plan(3, "notes", ("create table notes (at_s real not null, text text not null)",))


def opened(folder: Path, bounds: Bounds = WIDE) -> KeptFile:
    return KeptFile(folder / "notes.sqlite3", bounds, PLAN)


def note(file: KeptFile, at_s: float, text: str = "x", now_s: float = 0.0) -> bool:
    return file.write(lambda c: c.execute("insert into notes values (?, ?)", (at_s, text)), now_s, len(text))


def texts(file: KeptFile) -> list[tuple[float, str]]:
    return file.run(lambda c: c.execute("select * from notes order by at_s").fetchall())[0]


def page_bytes(file: KeptFile) -> int:
    (size,) = file.run(lambda c: c.execute("pragma page_size").fetchone())[0]
    return int(size)


def test_what_is_written_is_there_after_a_restart(tmp_path: Path) -> None:
    file = opened(tmp_path)
    assert not note(file, 1.0)
    file.close()
    again = opened(tmp_path)
    assert texts(again) == [(1.0, "x")]
    again.close()


def test_what_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    file = opened(tmp_path)

    def half(connection: sqlite3.Connection) -> None:
        connection.execute("insert into notes values (1.0, 'half')")
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(sqlite3.OperationalError):
        file.write(half, 0.0)
    assert texts(file) == []
    file.close()


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    file = opened(tmp_path, Bounds(10.0, 2**30))
    note(file, 100.0)
    for _ in range(PRUNE_EVERY):
        note(file, 200.0, now_s=200.0)
    assert {at_s for at_s, _ in texts(file)} == {200.0}
    file.close()


def test_large_rows_are_bounded_before_many_were_written(tmp_path: Path) -> None:
    file = opened(tmp_path, Bounds(math.inf, 2**20))
    for number in range(PRUNE_EVERY // 2):
        note(file, float(number), "x" * 2**17)
        assert (tmp_path / "notes.sqlite3").stat().st_size < 3 * 2**20
    found = [at_s for at_s, _ in texts(file)]
    assert found[-1] == PRUNE_EVERY // 2 - 1
    assert 1 <= len(found) <= 9
    file.close()


def test_a_file_that_somebody_removes_is_begun_again(tmp_path: Path) -> None:
    file = opened(tmp_path)
    note(file, 1.0)
    for path in tmp_path.iterdir():
        path.unlink()
    assert not note(file, 2.0)
    reader = opened(tmp_path)
    assert texts(reader) == [(2.0, "x")]
    reader.close()
    file.close()


def test_a_file_that_could_not_be_begun_again_is_as_soon_as_it_can_be(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    file = opened(folder)
    note(file, 1.0)
    folder.rename(tmp_path / "elsewhere")
    folder.write_bytes(b"in the way")
    for _ in range(2):
        with pytest.raises(OSError, match="state"):
            note(file, 2.0)
    folder.unlink()
    note(file, 3.0)
    assert texts(file) == [(3.0, "x")]
    file.close()


def test_a_damaged_file_is_moved_aside_and_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite3"
    file = opened(tmp_path)
    for number in range(100):
        note(file, float(number), "x" * 500)
    file.close()
    size = path.stat().st_size
    with path.open("r+b") as damaged:
        damaged.seek(PAGE_BYTES)
        damaged.write(b"\xff" * (size - 4096))
    file = opened(tmp_path)
    assert note(file, 1.0)
    assert not note(file, 2.0)
    assert [at_s for at_s, _ in texts(file)] == [1.0, 2.0]
    file.close()
    assert path.with_name("notes.sqlite3.damaged").exists()


def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    file = opened(tmp_path)
    note(file, 1.0)
    file.close()
    later = KeptFile(tmp_path / "notes.sqlite3", WIDE, Plan(4, "notes", PLAN.schema))
    with pytest.raises(sqlite3.OperationalError, match="version 3, not 4"):
        later.open()


@pytest.mark.parametrize("count", [0, 1, 7, 8, AT_ONCE[0], 3 * AT_ONCE[0] + 2 * AT_ONCE[1] + 3])
def test_many_rows_take_few_statements_and_keep_their_order(count: int) -> None:
    statements: list[str] = []
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(*PLAN.schema)
        connection.set_trace_callback(statements.append)
        insert(connection, "notes", ("text", "at_s"), range(count), lambda number: (f"text {number}", number))
        connection.set_trace_callback(None)
        rows = connection.execute("select at_s, text from notes order by rowid").fetchall()
    assert rows == [(number, f"text {number}") for number in range(count)]
    large, rest = divmod(count, AT_ONCE[0])
    written = [statement for statement in statements if statement.startswith("insert")]
    assert len(written) == large + rest // AT_ONCE[1] + rest % AT_ONCE[1]


@pytest.mark.parametrize("known", [(), (3,), (0, AT_ONCE[0]), range(2 * AT_ONCE[0])])
def test_what_is_not_known_of_any_row_or_of_some_is_null(known: Sequence[int]) -> None:
    rows = [(number, f"text {number}" if number in known else None) for number in range(2 * AT_ONCE[0])]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create table notes (at_s real not null, text text)")
        insert(connection, "notes", ("at_s", "text"), rows, tuple)
        assert connection.execute("select at_s, text from notes order by rowid").fetchall() == rows


def test_a_file_that_was_begun_with_smaller_pages_is_kept(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "notes.sqlite3")) as before:
        for statement in ("pragma page_size = 4096", "pragma journal_mode = wal", *PLAN.schema):
            before.execute(statement).fetchall()
        before.execute("insert into notes values (1.0, 'before')")
        before.execute(f"pragma user_version = {PLAN.version}")
        before.commit()
    file = opened(tmp_path)
    assert not note(file, 2.0, "now")
    assert texts(file) == [(1.0, "before"), (2.0, "now")]
    assert page_bytes(file) == 4096
    file.close()
    assert not list(tmp_path.glob("*.damaged"))


def test_a_file_that_is_begun_has_large_pages(tmp_path: Path) -> None:
    file = opened(tmp_path)
    assert page_bytes(file) == PAGE_BYTES
    file.close()


def test_what_sqlite_takes_in_one_statement_is_enough_for_both_files() -> None:
    assert AT_ONCE[0] * max(len(COLUMNS), len(UsageRow.__struct_fields__)) <= 999
