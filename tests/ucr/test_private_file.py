import stat
from pathlib import Path

import pytest

from ucr.private_file import locked, make_folder, replace_whole


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_replaced_as_a_whole_and_is_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "state" / "kept.json"
    with locked(path):
        replace_whole(path, b"first")
    path.chmod(0o644)
    before = path.open("rb")
    with before, locked(path):
        replace_whole(path, b"second")
        assert before.read() == b"first"
    assert (path.read_bytes(), mode(path), mode(path.parent)) == (b"second", 0o600, 0o700)
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["kept.json", "kept.json.lock"]


def test_what_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "kept.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_whole(tmp_path / "kept.json", b"data")
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept.json"]


def test_a_folder_that_others_could_reach_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    make_folder(folder)
    assert mode(folder) == 0o700
