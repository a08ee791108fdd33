"""A file of entries: what is kept, that nothing but a cache's file is touched, and which errors are damage."""

import sqlite3
import stat
from pathlib import Path

import pytest

from actors.sqlite_file import Row, SqliteFile, is_damage, move_aside, open_file

MIB = 1024 * 1024


def row(number: int, *tags: str, size: int = 10, expires_s: float = 100.0) -> Row:
    return Row(bytes([number]) * 32, b"x" * size, expires_s, tags)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "answers.sqlite"


def opened(path: Path, max_bytes: int = MIB) -> SqliteFile:
    return open_file(path, max_bytes)


def test_what_was_written_is_there_when_the_file_is_opened_again(path: Path) -> None:
    file = opened(path)
    file.write([row(1), row(2, expires_s=5.0)], ())
    file.close()
    file = opened(path)
    assert file.read(row(1).key, 4.0) == row(1).sealed
    assert file.read(row(2).key, 5.0) is None
    assert list(file.index(5.0)) == [row(1).key]
    file.close()


def test_what_expires_first_stands_first_in_the_index(path: Path) -> None:
    file = opened(path)
    file.write([row(1, expires_s=9.0, size=7), row(2, expires_s=8.0), row(1, expires_s=10.0, size=6)], ())
    assert list(file.index(0.0).items()) == [(row(2).key, (8.0, 10)), (row(1).key, (10.0, 6))]
    file.close()


def test_only_this_user_can_read_the_file_and_its_companions(path: Path) -> None:
    file = opened(path)
    file.write([row(1)], ())
    modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert len(modes) == 3
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    file.close()


def test_a_tag_is_cleared_and_no_other_that_looks_like_it(path: Path) -> None:
    file = opened(path)
    file.write(
        [row(1, "model:a", "provider:p"), row(2, "model:ab"), row(3), row(4, "provider:p", "model:a")], ()
    )
    assert file.clear("model:a") == 2
    assert file.clear("model:%") == 0
    assert set(file.index(0.0)) == {row(2).key, row(3).key}
    assert file.clear(None) == 2
    assert file.index(0.0) == {}
    file.close()


def test_what_was_cleared_is_not_in_the_file_any_more(path: Path) -> None:
    file = opened(path)
    file.write([Row(b"k" * 32, b"a rather secret answer", 9.0, ())], ())
    assert file.clear(None) == 1
    file.close()
    assert b"secret" not in b"".join(entry.read_bytes() for entry in path.parent.iterdir())


def test_the_file_does_not_grow_beyond_its_bound(path: Path) -> None:
    file = opened(path, max_bytes=MIB)
    with pytest.raises(sqlite3.OperationalError, match="full") as caught:
        for number in range(200):
            file.write([row(number, size=MIB // 8)], ())
    assert not is_damage(caught.value)
    assert file.read(row(0).key, 0.0) is not None
    file.close()
    assert path.stat().st_size < 7 * MIB


def test_a_write_is_whole_or_nothing(path: Path) -> None:
    file = opened(path, max_bytes=MIB)
    file.write([row(1)], ())
    with pytest.raises(sqlite3.OperationalError, match="full"):
        file.write([row(number, size=MIB) for number in range(2, 12)], [row(1).key])
    assert set(file.index(0.0)) == {row(1).key}
    file.close()


def test_a_file_that_is_no_database_is_damage_and_moved_aside(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"nonsense" * 1000)
    with pytest.raises(sqlite3.DatabaseError) as caught:
        opened(path)
    assert is_damage(caught.value)
    aside = move_aside(path)
    assert aside.read_bytes().startswith(b"nonsense")
    file = opened(path)
    assert file.index(0.0) == {}
    file.close()


def test_a_database_with_a_damaged_page_is_damage(path: Path) -> None:
    file = opened(path)
    file.write([row(number, size=3000) for number in range(30)], ())
    file.clear("nothing")
    file.close()
    with path.open("r+b") as raw:
        raw.seek(2 * 4096)
        raw.write(b"\xff" * 4096 * 3)
    with pytest.raises(sqlite3.DatabaseError) as caught:
        opened(path)
    assert is_damage(caught.value)


def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("create table entries (theirs text)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(OSError, match="another program"):
        opened(path)
    assert path.read_bytes() == before


def test_a_file_of_another_version_is_begun_anew(path: Path) -> None:
    file = opened(path)
    file.write([row(1)], ())
    file.close()
    with sqlite3.connect(path) as later:
        later.execute("pragma user_version = 99")
    later.close()
    file = opened(path)
    assert file.index(0.0) == {}
    file.close()


def test_a_path_that_cannot_be_is_an_error_and_no_damage(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="directory"):
        opened(tmp_path)
