from pathlib import Path

import pytest

from ucr.errors import ConfigError
from ucr.operate.writing import written

FILE = '[[providers]]\nid = "p"\ndialect = "openai-chat"\nbase_url = "http://127.0.0.1:9/v1"\n'


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "ucr" / "ucr.toml"
    assert written(path, FILE, {}).providers[0].id == "p"
    assert path.read_text("utf-8") == FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_link_stays_one_and_a_wrong_text_changes_nothing(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "ucr.toml"
    real.write_text(FILE, "utf-8")
    link.symlink_to(real)
    with pytest.raises(ConfigError):
        written(link, "[server]\nport = 'x'\n", {})
    assert real.read_text("utf-8") == FILE
    written(link, f"# new\n{FILE}", {})
    assert link.is_symlink()
    assert real.read_text("utf-8").startswith("# new")
