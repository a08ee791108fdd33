"""`ucr-trio report`: what it shows, what it writes, and what it refuses."""

import json
import stat
import zipfile
from pathlib import Path

from click.testing import CliRunner, Result

from ucr.commands import main

FILE = '[[providers]]\nid = "p"\ndialect = "openai-chat"\nbase_url = "http://127.0.0.1:9/v1"\napi_key = "a-planted-key"\n'


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["report", *arguments])


def test_everything_is_shown_and_written_for_the_user_alone(home: Path) -> None:
    (home / "ucr.toml").write_text(FILE, "utf-8")
    result = run()
    assert result.exit_code == 0
    path = home / "ucr-report.zip"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        texts = [archive.read(name).decode() for name in names]
    assert names[0] == "README.txt"
    assert all(name in result.stdout for name in names[1:])
    assert not [text for text in texts if "a-planted-key" in text]
    assert result.stdout.splitlines()[-1].startswith("ucr-report.zip is written")


def test_a_file_that_is_there_stays_as_it_is(home: Path) -> None:
    (home / "mine.zip").write_text("mine", "utf-8")
    result = run("--output", "mine.zip")
    assert result.exit_code == 1
    assert "mine.zip: File exists; choose another --output" in result.stderr
    assert (home / "mine.zip").read_text("utf-8") == "mine"


def test_a_broken_configuration_is_reported_as_json_too(home: Path) -> None:
    (home / "ucr.toml").write_text(
        "[server]\nport = 'x'\n[admin]\nkey = 'a-planted-key'\nnothing = 1\n", "utf-8"
    )
    result = run("--json", "--output", "out.zip")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["output"] == "out.zip"
    members = {member["name"]: member["text"] for member in told["members"]}
    problems = json.loads(members["configuration.json"])["problems"]
    assert {"ucr.toml: server.port = 'x'", "ucr.toml: admin.nothing"} <= {
        words.rpartition(": ")[0] for words in problems
    }
    assert "a-planted-key" not in result.stdout
