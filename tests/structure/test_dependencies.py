"""Every dependency stands in the page that says what it saves, and nothing else does."""

import re
import tomllib

from tests.world.sources import ROOT

PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def declared() -> set[str]:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return {re.split(r"[<>=!~;\[ ]", requirement)[0] for group in groups for requirement in group}


def test_the_page_and_the_project_name_the_same_packages() -> None:
    assert set(re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)) == declared()


def test_every_row_says_what_is_saved_and_the_licence() -> None:
    for line in PAGE.splitlines():
        if line.startswith("| `"):
            _, saves, licence = (cell.strip() for cell in line.strip("|").split("|"))
            assert saves
            assert licence
