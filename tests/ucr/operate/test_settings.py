import json
from pathlib import Path

from ucr.operate.settings import found_contradictions, places

URL = "http://127.0.0.1:3000"
ELSEWHERE = json.dumps({"env": {"ANTHROPIC_BASE_URL": "https://other"}})


def test_settings_of_user_and_project_are_read(home: Path) -> None:
    assert found_contradictions({"HOME": str(home)}, URL) == []
    project, own = home / ".claude", home / "own"
    for folder in (project, own):
        folder.mkdir()
    (project / "settings.local.json").write_text(ELSEWHERE, "utf-8")
    (own / "settings.json").write_text(ELSEWHERE, "utf-8")
    found = found_contradictions({"HOME": str(home), "CLAUDE_CONFIG_DIR": str(own)}, URL)
    assert [each.file for each in found] == [str(own / "settings.json"), ".claude/settings.local.json"]


def test_a_file_that_is_two_of_them_is_told_once(home: Path) -> None:
    (home / ".claude").mkdir()
    (home / ".claude" / "settings.json").write_text(ELSEWHERE, "utf-8")
    assert len(found_contradictions({"HOME": str(home)}, URL)) == 1


def test_what_is_no_json_is_left_out(home: Path) -> None:
    (home / ".claude").mkdir()
    (home / ".claude" / "settings.json").write_text("{", "utf-8")
    assert found_contradictions({"HOME": str(home)}, URL) == []


def test_the_folder_of_the_user_is_below_home_unless_it_is_named() -> None:
    assert places({"HOME": "/h"})[1] == Path("/h/.claude/settings.json")
    assert places({"HOME": "/h", "CLAUDE_CONFIG_DIR": "/c"})[1] == Path("/c/settings.json")
