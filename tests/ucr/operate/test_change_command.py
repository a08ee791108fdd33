import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ucr.commands import main

FILE = """# mine
[[providers]]
id = "p"
dialect = "openai-chat"
base_url = "http://127.0.0.1:9/v1"
[router]
default = "p"
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_the_file_is_changed_and_keeps_its_comments_and_its_mode(home: Path) -> None:
    file = home / "ucr.toml"
    file.write_text(FILE, "utf-8")
    file.chmod(0o640)
    done = run("models", "set", "fast", "p/m")
    assert (done.exit_code, done.stdout) == (0, "ucr.toml: fast stands for p/m; a running router follows\n")
    assert run("providers", "disable", "p").exit_code == 0
    told = tomllib.loads(file.read_text("utf-8"))
    assert told["models"] == {"fast": "p/m"}
    assert told["providers"][0]["enabled"] is False
    assert file.read_text("utf-8").startswith("# mine\n")
    assert file.stat().st_mode & 0o777 == 0o640
    assert run("providers", "enable", "p").exit_code == 0
    assert "enabled" not in file.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("models", "set", "fast", "nobody/m"), "there is no provider 'nobody'"),
        (("providers", "disable", "nobody"), "there is no [[providers]] with the id 'nobody'"),
    ],
)
def test_a_change_that_would_be_wrong_is_not_made(home: Path, arguments: tuple[str, ...], words: str) -> None:
    (home / "ucr.toml").write_text(FILE, "utf-8")
    done = run(*arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert (home / "ucr.toml").read_text("utf-8") == FILE


def test_without_a_file_of_toml_there_is_nothing_to_change(home: Path) -> None:
    assert "ucr-trio setup" in run("providers", "enable", "p").stderr
    (home / "ucr.json").write_text("{}", "utf-8")
    assert "only a TOML file" in run("providers", "enable", "p").stderr
